"""A model of OpenAI or Azure OpenAI writes: one call a mail, with a limit of tokens and of time, and its cost kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from pydantic import ConfigDict, ValidationError

from shared.followups.composing import costs, prompt
from shared.followups.composing.brief import Draft
from shared.followups.composing.costs import Call, Prices
from shared.platform.calls.authorities import authorities
from shared.platform.credentials import COGNITIVE_SERVICES_SCOPE, credential
from shared.platform.errors import TerminalError, TransientError
from shared.platform.models import LazyModel

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

    from shared.followups.composing.brief import Brief

TEMPERATURE = 0.7
CONNECT_SECONDS = 5


class _Written(LazyModel):
    """The answer, as the schema asks for it."""

    model_config = ConfigDict(extra="forbid")
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class ModelAccount:
    """Which model, where, and what it may cost.

    Attributes:
        key: of the API; None: the app's identity, which Azure OpenAI takes.
        seconds: for one mail, with everything.
        tokens: most that one answer may have.
        daily_tokens: of all mails together.
    """

    endpoint: str
    model: str
    key: str | None
    seconds: float
    tokens: int
    daily_tokens: int
    prices: Prices


class ModelWriter:
    """Writes by one call, which is not repeated: another writer takes over where it fails."""

    def __init__(self, account: ModelAccount) -> None:
        self._account = account

    async def write(self, brief: Brief) -> Draft:
        """As the port says.

        Raises:
            TransientError: the model does not answer in time, or not now.
            TerminalError: the day's tokens are spent, or the model wrote nothing usable.
        """
        if await costs.tokens_today() >= self._account.daily_tokens:
            raise TerminalError("The model's tokens of today are spent.", code="model-budget")
        client = self._client()
        began = monotonic()
        try:
            async with asyncio.timeout(self._account.seconds):
                answer = await self._ask(client, brief)
        except TimeoutError:
            # Nobody says what it cost, and it is billed: the most it may have been, so that a model that is always late
            # spends the day's tokens like any other.
            await self._record("model-late", began, (prompt.size(brief), self._account.tokens))
            raise TransientError("The model took too long.", code="model-late") from None
        except TransientError as error:
            await self._record(error.code, began, (0, 0))
            raise
        try:
            draft = _draft(answer, self._account.model)
        except TerminalError as error:
            await self._record(error.code, began, _used(answer))
            raise
        await self._record("written", began, _used(answer))
        return draft

    async def _ask(self, client: AsyncOpenAI, brief: Brief) -> ChatCompletion:
        from openai import OpenAIError  # noqa: PLC0415 - loads in the activity that needs it

        request: dict[str, Any] = {
            "model": self._account.model,
            "messages": prompt.messages(brief),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "mail", "strict": True, "schema": prompt.SCHEMA},
            },
            "max_completion_tokens": self._account.tokens,
            "temperature": TEMPERATURE,
        }
        try:
            async with client:
                return cast("ChatCompletion", await client.chat.completions.create(**request))
        except OpenAIError as error:
            raise TransientError(
                f"The model does not write now: {type(error).__name__}.", code="model-unavailable"
            ) from error

    def _client(self) -> AsyncOpenAI:
        """Made before the time runs: the library takes a second to load, once."""
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout  # noqa: PLC0415 - as above

        return AsyncOpenAI(
            base_url=self._account.endpoint,
            api_key=self._account.key or _token,
            max_retries=0,
            timeout=Timeout(self._account.seconds, connect=CONNECT_SECONDS),
            http_client=DefaultAsyncHttpxClient(verify=authorities()),
        )

    async def _record(self, outcome: str, began: float, used: tuple[int, int]) -> None:
        dollars = self._account.prices.dollars(*used)
        await costs.record(Call(self._account.model, outcome, *used, dollars, monotonic() - began))


def _used(answer: ChatCompletion) -> tuple[int, int]:
    """Tokens of the prompt and of the answer."""
    return (answer.usage.prompt_tokens, answer.usage.completion_tokens) if answer.usage else (0, 0)


def _draft(answer: ChatCompletion, model: str) -> Draft:
    choice = answer.choices[0] if answer.choices else None
    if choice is None or choice.message.refusal or choice.finish_reason == "content_filter":
        raise TerminalError("The model refused to write.", code="model-refused")
    try:
        written = _Written.model_validate_json(choice.message.content or "")
    except ValidationError:
        raise TerminalError("The model wrote nothing that can be read.", code="model-unusable") from None
    subject, body = (
        text.replace("\0", "").encode("utf-8", "replace").decode() for text in (written.subject, written.body)
    )
    text = {"subject": " ".join(subject.split()), "body": body.strip()}
    return Draft(**text, written_by=f"model {model}"[:200])


async def _token() -> str:
    return (await credential().get_token(COGNITIVE_SERVICES_SCOPE)).token
