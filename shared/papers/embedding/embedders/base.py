"""What every embedder is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

CHARACTERS_A_TOKEN = 3
"""Fewer than a token of usual texts has on average, by which models that come with a package estimate their tokens."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of some texts.

    Attributes:
        vectors: one a text, of length 1: an array of float32 with a row a text.
        tokens: read for them.
        cut: for each text, whether it was longer than the model reads.
    """

    vectors: Any
    tokens: int
    cut: list[bool]


class Embedder(Protocol):
    """Turns texts into vectors of length 1.

    Attributes:
        name: what PAPERS_EMBEDDER calls it.
        version: of the model; vectors of two versions are never compared.
        dimensions: of its vectors.
        most_texts: of one call.
        most_tokens: of one call, all texts together.
        dollars_per_million: what a million tokens cost; 0: nothing.
    """

    name: str
    version: str
    dimensions: int
    most_texts: int
    most_tokens: int
    dollars_per_million: float

    def tokens(self, text: str) -> int:
        """How many tokens the text has, at most a little more than the model counts."""
        ...

    async def embed(self, texts: list[str]) -> Embedded:
        """The vectors of at most `most_texts` texts with at most `most_tokens` tokens.

        Raises:
            TransientError: the model did not answer, or asks to wait.
            InvalidInput: the model refuses one of the texts.
        """
        ...
