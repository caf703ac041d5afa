"""Embeddings with the API of OpenAI: hashed words in place of a model, under the limits of the real one."""

from __future__ import annotations

import hmac
import math
import re
import time
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.providers.embedding_batches import EmbeddingBatches

KEY = "local-model-key"
MOST_TOKENS = 300_000
LONGEST_TOKENS = 8_192
MOST_TEXTS = 2_048
_WORD = re.compile(r"\w+")


@dataclass
class Embeddings:
    """What it was asked, and how often it is too busy.

    Attributes:
        asked: the number of texts of each request that was answered.
        models: the model and the dimensions of each request that was let in.
        own_space: whether each model has vectors of its own, as real ones have, or all have the same.
        out: a status that it answers everything with; 0: it answers.
        refusing: a model that refuses every text.
        dimensions: of every vector, whatever is asked for; 0: as it is asked for.
        busy: how many of the next requests it puts off.
        seconds: that it then asks to wait.
        dated: whether it names the moment in place of the seconds, as HTTP allows.
        refused: what no text may hold.
        refusal_of: the model that refuses such texts; None: all.
    """

    asked: list[int] = field(default_factory=list[int])
    models: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    own_space: bool = False
    out: int = 0
    refusing: str | None = None
    dimensions: int = 0
    busy: int = 0
    seconds: float = 0.1
    dated: bool = False
    refused: str = "\0"
    refusal_of: str | None = None
    batches: EmbeddingBatches = field(init=False)

    def __post_init__(self) -> None:
        self.batches = EmbeddingBatches(self._answered, self._put_off)

    def routes(self) -> list[Route]:
        """Its part of the API."""
        return [Route("/v1/embeddings", self._embed, methods=["POST"]), *self.batches.routes()]

    async def _embed(self, request: Request) -> Response:
        if refused := self._put_off(request):
            return refused
        status, body = self._answered(await request.json())
        return JSONResponse(body, status)

    def _put_off(self, request: Request) -> Response | None:
        if not hmac.compare_digest(request.headers.get("authorization", ""), f"Bearer {KEY}"):
            return _error(401, "invalid_api_key", "Incorrect API key provided.")
        if self.out:
            return _error(self.out, "out_of_order", "Out of order.", {"retry-after": str(self.seconds)})
        if self.busy:
            self.busy -= 1
            over = formatdate(time.time() + self.seconds, usegmt=True)
            wait = over if self.dated else str(self.seconds)
            return _error(429, "rate_limit_exceeded", "Too many requests.", {"retry-after": wait})
        return None

    def _answered(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        given: str | list[str] = asked["input"]
        texts = [given] if isinstance(given, str) else given
        model, dimensions = asked["model"], asked["dimensions"]
        self.models.append((model, dimensions))
        if model == self.refusing:
            return 400, _problem("invalid_request_error", "This model does not support specifying dimensions.")
        tokens = [len(_WORD.findall(text)) for text in texts]
        if refusal := self._refusal(texts, tokens, model):
            return 400, _problem(*refusal)
        self.asked.append(len(texts))
        space = model if self.own_space else ""
        data = [
            {"object": "embedding", "index": at, "embedding": _vector(text, self.dimensions or dimensions, space)}
            for at, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": sum(tokens), "total_tokens": sum(tokens)}
        return 200, {"object": "list", "data": data, "model": model, "usage": usage}

    def _refusal(self, texts: list[str], tokens: list[int], model: str) -> tuple[str, str] | None:
        if len(texts) > MOST_TEXTS:
            return "invalid_request_error", f"More than {MOST_TEXTS} inputs."
        if max(tokens) > LONGEST_TOKENS:
            return "context_length_exceeded", f"This model reads {LONGEST_TOKENS} tokens, not {max(tokens)}."
        if sum(tokens) > MOST_TOKENS:
            return "max_tokens_per_request", f"Requested {sum(tokens)} tokens, max {MOST_TOKENS}."
        if self.refusal_of in (None, model) and any(self.refused in text for text in texts):
            return "content_filter", "The input was filtered."
        return None


def _vector(text: str, dimensions: int, space: str) -> list[float]:
    vector = [0.0] * dimensions
    for word in _WORD.findall(text.lower()):
        hashed = zlib.crc32(f"{space}{word}".encode())
        vector[hashed % dimensions] += 1 if hashed & 0x8000_0000 else -1
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else [1.0, *vector[1:]]


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(_problem(code, message), status, headers)


def _problem(code: str, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
