"""Embeddings of OpenAI, or of Azure OpenAI with the app's identity or a key."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from shared.papers.embedding.embedders.base import Embedded
from shared.papers.embedding.embedders.openai_client import openai_client
from shared.platform.calls.rate_limit import retry_after
from shared.platform.errors import InvalidInput, NotFound, TerminalError, TransientError

if TYPE_CHECKING:
    from collections.abc import Generator

    from openai import AsyncOpenAI

    from shared.papers.embedding.models import ModelVersion

LONGEST_TOKENS = 8_192
"""Of one text; the service refuses a longer one."""
_BYTES_A_TOKEN = 2
"""Fewer bytes than any token of usual texts has on average, so that a cut text is never too long."""

REFUSES_TEXTS = (400, 413, 422)
"""Statuses of HTTP by which the service refuses what it was sent."""


class OpenAiEmbedder:
    """One request a batch; the SDK's own repeats are off, since ours know how long the service asks us to wait."""

    name = "openai"
    most_texts = 2_048
    most_tokens = 250_000  # the service takes 300,000, and counts otherwise than we do

    def __init__(self, client: AsyncOpenAI, version: ModelVersion) -> None:
        self.client = client
        self.version = version.version
        self.dimensions = version.dimensions
        self.dollars_per_million = version.dollars_per_million
        self._model = version.version.removesuffix(f"-{version.dimensions}")
        self.batch_model = version.batch_model or self._model

    @classmethod
    def of(cls, version: ModelVersion) -> OpenAiEmbedder:
        """The embedder of a version, at the address that the settings name."""
        return cls(openai_client(), version)

    def tokens(self, text: str) -> int:
        return min(len(text.encode()) // _BYTES_A_TOKEN + 1, LONGEST_TOKENS)

    async def embed(self, texts: list[str]) -> Embedded:
        import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

        shortened = [self.shortened(text) for text in texts]
        with problems():
            answer = await self.client.embeddings.create(
                model=self._model, input=shortened, dimensions=self.dimensions, encoding_format="float"
            )
        embeddings: list[Any] = getattr(answer, "data", None) or []  # another service's page is given as text
        if sorted(embedding.index for embedding in embeddings) != list(range(len(texts))) or any(
            len(embedding.embedding) != self.dimensions for embedding in embeddings
        ):
            raise TerminalError(
                f"The embeddings service did not answer with a vector of {self.dimensions} numbers for each text.",
                code="embedder-answers-otherwise",
                remedy="See PAPERS_OPENAI_ENDPOINT, and whether the model has vectors of PAPERS_OPENAI_DIMENSIONS.",
            )
        vectors = np.stack(
            [
                of_length_one(embedding.embedding)
                for embedding in sorted(embeddings, key=lambda embedding: embedding.index)
            ]
        )
        cut = [short is not text for short, text in zip(shortened, texts, strict=True)]
        usage: Any = getattr(answer, "usage", None)  # some services of the same form leave it out
        tokens = usage.total_tokens if usage else sum(map(self.tokens, shortened))
        return Embedded(vectors, tokens, cut)

    @staticmethod
    def shortened(text: str) -> str:
        """The text itself, or as much of it as surely has few enough tokens."""
        most = LONGEST_TOKENS * _BYTES_A_TOKEN
        data = text.encode()
        return text if len(data) <= most else data[:most].decode(errors="ignore")


def of_length_one(numbers: Any) -> Any:
    """The numbers as a vector of length 1.

    Raises:
        InvalidInput: they are none, or all zero: half-precision services give such for some texts.
    """
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    vector: Any = np.zeros(1)
    with suppress(TypeError, ValueError), np.errstate(over="ignore"):
        vector = np.asarray(numbers, np.float32)
    length = float(np.linalg.norm(vector))
    if not 0 < length < math.inf:
        raise InvalidInput(
            "The embeddings service gave a vector of zeros, or with a number that is none.",
            code="embedder-gives-no-vector",
        )
    return vector / length


def answered(status: int, message: object) -> str:
    """What the service answered, as a sentence."""
    return f"The embeddings service answered {status}: {str(message)[:300]}."


@contextmanager
def problems() -> Generator[None]:
    """What the client raises, as errors of ours.

    Raises:
        TransientError: the service did not answer, or asks to wait.
        InvalidInput: it refuses what it was sent.
        TerminalError: it refuses us.
    """
    from openai import APIConnectionError, APIStatusError, OpenAIError  # noqa: PLC0415 - loads in the activity that needs it

    try:
        yield
    except APIConnectionError as error:
        raise TransientError(
            f"The embeddings service did not answer: {type(error).__name__}.", code="embedder-unavailable"
        ) from error
    except APIStatusError as error:
        raise _problem(error) from error
    except OpenAIError as error:
        raise TerminalError(
            f"The embeddings service answers otherwise than its API: {type(error).__name__}.",
            code="embedder-answers-otherwise",
            remedy="See PAPERS_OPENAI_ENDPOINT.",
        ) from error


def _problem(error: Any) -> Exception:
    status = error.status_code
    message = answered(status, error.message)
    if status in (408, 409, 429) or status >= 500:  # noqa: PLR2004 - statuses of HTTP
        return TransientError(
            message, code="embedder-busy", retry_after=retry_after(error.response.headers.get("Retry-After"))
        )
    if status in REFUSES_TEXTS:
        return InvalidInput(message, code="embedder-refuses")
    remedy = "See the key, the role and the name of the model."
    if status == 404:  # noqa: PLR2004 - as above
        return NotFound(message, code="embedder-knows-no-such", remedy=remedy)
    return TerminalError(message, code="embedder-refuses-us", remedy=remedy)
