"""The Batch API of OpenAI and Azure OpenAI: a file of requests, answered within a day for half the money."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.papers.embedding.embedders.openai import REFUSES_TEXTS, OpenAiEmbedder, answered, of_length_one, problems
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_TEXTS = 20_000
"""Of a batch: a file of some 30 MB. The service takes 50,000 and 200 MB."""
SHARE_OF_PRICE = 0.5
_ENDED = ("completed", "failed", "expired", "cancelled")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one text.

    Attributes:
        vector: of length 1; None: it was not embedded.
        reason: why not.
        by_text: whether the text is to blame; otherwise another attempt may succeed.
    """

    paper_id: UUID
    cut: bool
    vector: Any = None
    tokens: int = 0
    reason: str = ""
    by_text: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is; `files` holds what it was given and what it answered, once it has ended."""

    ended: bool
    reason: str
    files: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


class OpenAiBatches:
    """Batches of one embedder. Every method raises TransientError and TerminalError as the embedder does."""

    def __init__(self, embedder: OpenAiEmbedder) -> None:
        self._embedder = embedder
        self._client = embedder.client

    async def send(self, claim: UUID, texts: dict[UUID, str]) -> str:
        """Give the service the texts of these papers; its name for the batch, whose metadata hold `claim`."""
        lines = "".join(f"{json.dumps(self._request(*item))}\n" for item in texts.items())
        with problems():
            file = await self._client.files.create(file=(f"{claim}.jsonl", lines.encode()), purpose="batch")
            batch = await self._client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/embeddings",
                completion_window="24h",
                metadata={"claim": str(claim)},
            )
        return batch.id

    async def find(self, claim: UUID) -> str | None:
        """The service's name for the batch of this claim; None: the service was never given it."""
        with problems():
            async for batch in self._client.batches.list(limit=100):
                if (batch.metadata or {}).get("claim") == str(claim):
                    return batch.id
        return None

    async def look(self, remote_id: str) -> Progress:
        """How far a batch is."""
        with problems():
            batch = await self._client.batches.retrieve(remote_id)
        answers = [file for file in (batch.output_file_id, batch.error_file_id) if file]
        errors = [str(error.message) for error in (batch.errors.data or [])] if batch.errors else []
        return Progress(
            ended=batch.status in _ENDED,
            reason=": ".join([batch.status, *errors[:1]])[:300],
            files=(batch.input_file_id, *answers),
            answers=tuple(answers),
        )

    async def answers(self, file: str) -> AsyncIterator[Answer | None]:
        """What became of each text of a file of answers; None for a line that names none."""
        with problems():
            async with self._client.files.with_streaming_response.content(file) as content:
                async for line in content.iter_lines():
                    if line.strip():
                        yield answer_of(line, self._embedder.dimensions)

    async def forget(self, progress: Progress) -> None:
        """Delete the files of a batch that has ended; one that is gone already is no problem."""
        from openai import OpenAIError  # noqa: PLC0415 - loads in the activity that needs it

        for file in progress.files:
            with suppress(OpenAIError):  # the service deletes them by itself in a month
                await self._client.files.delete(file)

    def _request(self, paper_id: UUID, text: str) -> dict[str, Any]:
        shortened = self._embedder.shortened(text)
        return {
            "custom_id": f"{paper_id}/{int(shortened is not text)}",
            "method": "POST",
            "url": "/v1/embeddings",
            "body": {
                "model": self._embedder.batch_model,
                "input": shortened,
                "dimensions": self._embedder.dimensions,
                "encoding_format": "base64",
            },
        }


def answer_of(line: str, dimensions: int) -> Answer | None:
    """What a line says of its text, whatever stands there; None: it names no text of ours."""
    try:
        parsed = json.loads(line)
        named, _, cut = parsed["custom_id"].partition("/")
        paper_id = UUID(named)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None
    try:
        return _usable(Answer(paper_id, cut == "1"), parsed, dimensions)
    except (AttributeError, InvalidInput, LookupError, TypeError, ValueError):
        reason = f"The embeddings service answered with what is no vector of {dimensions} numbers."
        return Answer(paper_id, cut == "1", reason=reason, by_text=True)


def _usable(answer: Answer, parsed: Any, dimensions: int) -> Answer:
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    response: dict[str, Any] = parsed.get("response") or {}
    body: dict[str, Any] = response.get("body") or {}
    status = response.get("status_code", 0)
    if status != 200:  # noqa: PLR2004 - a status of HTTP
        error: dict[str, Any] = body.get("error") or parsed.get("error") or {}
        reason = answered(status, error.get("message", "no reason"))
        return replace(answer, reason=reason, by_text=status in REFUSES_TEXTS)
    numbers: Any = body["data"][0]["embedding"]
    vector = of_length_one(
        np.frombuffer(base64.b64decode(numbers), np.float32) if isinstance(numbers, str) else numbers
    )
    if vector.shape != (dimensions,):
        raise ValueError(vector.shape)
    usage: dict[str, Any] = body.get("usage") or {}
    return replace(answer, vector=vector, tokens=int(usage.get("total_tokens", 0)))
