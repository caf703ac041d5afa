"""Vectors of hashed words: without any model, and alike for texts that share words. For tests and first steps."""

from __future__ import annotations

import re
import zlib

from shared.papers.embedding.embedders.base import Embedded

_WORD = re.compile(r"\w+")


class HashingEmbedder:
    """Each word adds or takes away 1 at the place that its hash names."""

    name = "hashing"
    version = "crc32-64"
    dimensions = 64
    most_texts = 1_000
    most_tokens = 1_000_000
    dollars_per_million = 0.0

    def tokens(self, text: str) -> int:
        return text.count(" ") + 1

    async def embed(self, texts: list[str]) -> Embedded:
        import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        tokens = 0
        for row, text in enumerate(texts):
            words = _WORD.findall(text.lower())
            tokens += len(words)
            for word in words:
                hashed = zlib.crc32(word.encode())
                vectors[row, hashed % self.dimensions] += 1 if hashed & 0x8000_0000 else -1
            if not vectors[row].any():
                vectors[row, 0] = 1
        return Embedded(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), tokens, [False] * len(texts))
