"""GraphQL at Nivoda: who we are there, the token of six hours, and what its errors come to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast

from shared.diamonds.ingestion.suppliers.client import CREDENTIALS, THROTTLED, TOKEN_REFUSED, Client
from shared.diamonds.ingestion.suppliers.decoding import malformed
from shared.diamonds.ingestion.suppliers.nivoda_queries import AUTHENTICATE
from shared.diamonds.ingestion.suppliers.trading import REFUSED
from shared.platform.calls.retry import Time
from shared.platform.errors import TerminalError, TransientError
from shared.platform.per_loop import PerLoop

if TYPE_CHECKING:
    from shared.diamonds.ingestion.mapping import PriceUnit

T = TypeVar("T")

TOKEN_SECONDS = 5.5 * 3600
"""A token lives for six hours at Nivoda; it is renewed before."""
UNAUTHENTICATED = "UNAUTHENTICATED"
TOO_OFTEN = {"RATE_LIMITED", "TOO_MANY_REQUESTS", "THROTTLED"}
# Of the codes that Apollo servers give, those that the same request will always meet. Any other may pass.
HOPELESS = {
    "BAD_REQUEST",
    "BAD_USER_INPUT",
    "FORBIDDEN",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "OPERATION_RESOLUTION_FAILURE",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Where Nivoda is, who we are there, and what we may do."""

    endpoint: str
    username: str
    password: str = field(repr=False)
    trades: bool = False
    destination: str = ""
    price_unit: PriceUnit = "cents"


@dataclass(slots=True)
class _Session:
    """The token that all activities of this process share."""

    token: str = ""
    renew_at: float = 0.0
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)


_sessions = PerLoop[dict[Account, _Session]](dict)


class _TokenRefused(Exception):
    """Nivoda does not take this token any more."""


class NivodaGraphQL:
    """Queries of one account, through a client that is open."""

    def __init__(self, account: Account, client: Client, timing: Time) -> None:
        self._account = account
        self._client = client
        self._time = timing
        self._session = _sessions.get().setdefault(account, _Session())

    async def ask(self, query: str, variables: dict[str, Any], max_wait_seconds: float) -> dict[str, Any]:
        """The `data` of one query, with a token that is renewed once when it is refused."""
        token = await self._token(max_wait_seconds)
        try:
            return await self._post(query, variables, max_wait_seconds, token)
        except _TokenRefused:
            token = await self._token(max_wait_seconds, refused=token)
        try:
            return await self._post(query, variables, max_wait_seconds, token)
        except _TokenRefused:
            raise TransientError("Nivoda refused a token that it had just given.", code=TOKEN_REFUSED) from None

    async def _token(self, max_wait_seconds: float, *, refused: str = "") -> str:
        session = self._session
        async with session.renewing:
            if session.token == refused or self._time.now() >= session.renew_at:
                session.token = await self._authenticate(max_wait_seconds)
                session.renew_at = self._time.now() + TOKEN_SECONDS
            self._client.hide(session.token)
            return session.token

    async def _authenticate(self, max_wait_seconds: float) -> str:
        who = {"username": self._account.username, "password": self._account.password}
        try:
            data = await self._post(AUTHENTICATE, who, max_wait_seconds)
        except _TokenRefused:
            raise TerminalError(
                "Nivoda does not accept our user name and password.",
                code=CREDENTIALS,
                remedy="Correct NIVODA_USERNAME and NIVODA_PASSWORD.",
            ) from None
        return pick(data, "authenticate.username_and_password.token", str)

    async def _post(
        self, query: str, variables: dict[str, Any], max_wait_seconds: float, token: str | None = None
    ) -> dict[str, Any]:
        answer = await self._client.post(
            self._account.endpoint,
            max_wait_seconds,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            json={"query": query, "variables": variables},
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise _TokenRefused
        try:
            body: object = answer.json()
        except ValueError:
            raise malformed("Nivoda", "no JSON") from None
        if not isinstance(body, dict):
            raise malformed("Nivoda", "no JSON object")
        content = cast("dict[str, Any]", body)
        if errors := content.get("errors"):
            raise self._failure(errors)
        return cast("dict[str, Any]", pick(content, "data", dict))

    def _failure(self, errors: object) -> Exception:
        """What `errors[]` comes to: the worst that is in it decides."""
        listed = cast("list[Any]", errors) if isinstance(errors, list) else []
        readable = [cast("dict[str, Any]", error) for error in listed if isinstance(error, dict)]
        codes = {_code(error) for error in readable}
        if UNAUTHENTICATED in codes:
            return _TokenRefused()
        messages = self._client.quote("; ".join(str(error.get("message", "")) for error in readable))
        if codes & TOO_OFTEN:
            return TransientError(f"Nivoda was asked too often: {messages}.", code=THROTTLED)
        if hopeless := codes & HOPELESS:
            return TerminalError(
                f"Nivoda refused a query ({', '.join(sorted(hopeless))}): {messages}.",
                code=REFUSED,
                remedy="The query does not fit Nivoda's schema, or the account may not ask it. Compare with its API.",
            )
        return TransientError(f"Nivoda reported an error: {messages or 'without a message'}.", code="supplier-error")


def _code(error: dict[str, Any]) -> str:
    extensions: Any = error.get("extensions")
    return str(cast("dict[str, Any]", extensions).get("code", "")) if isinstance(extensions, dict) else ""


def pick(source: Any, path: str, kind: type[T]) -> T:
    """The value at a dotted path, which must be of a kind; names the path if it is not."""
    value = source
    for key in path.split("."):
        value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    if not isinstance(value, kind):
        raise malformed("Nivoda", f"no {path} of type {kind.__name__}")
    return value
