"""Word vectors that a package brings along: no network, no graphics card, hundreds of texts a second.

The package is wordllama (MIT): 32,000 vectors of 256 numbers and a tokenizer. A text's vector is the mean of those of
its tokens. Its own loader looks for the files elsewhere and would fetch them, so they are read here.
"""

from __future__ import annotations

import asyncio
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.papers.embedding.embedders.base import CHARACTERS_A_TOKEN, Embedded

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PACKAGE = "wordllama"
_TOKENIZER = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"
_VECTORS = "wordllama/weights/l2_supercat_256.safetensors"
LONGEST_TOKENS = 4_096


class StaticEmbedder:
    """The mean of the vectors of a text's words."""

    name = "static"
    version = "l2-supercat-256"
    dimensions = 256
    most_texts = 512
    most_tokens = 512 * 1_024
    dollars_per_million = 0.0

    def __init__(self, tokenizer: Tokenizer, vectors: Any) -> None:
        self.tokenizer = tokenizer
        self.word_vectors = vectors

    @staticmethod
    @cache
    def loaded() -> StaticEmbedder:
        """The model, read once in a process: a fifth of a second, 40 MB."""
        import numpy as np  # noqa: PLC0415 - loads in the activity that needs it
        from safetensors import numpy as safetensors  # noqa: PLC0415 - as above
        from tokenizers import Tokenizer  # noqa: PLC0415 - as above

        package = distribution(_PACKAGE)
        tokenizer = Tokenizer.from_file(str(package.locate_file(_TOKENIZER)))
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST_TOKENS)
        vectors = safetensors.load_file(Path(str(package.locate_file(_VECTORS))))["embedding.weight"]
        return StaticEmbedder(tokenizer, vectors.astype(np.float32))

    def tokens(self, text: str) -> int:
        return len(text) // CHARACTERS_A_TOKEN + 1

    async def embed(self, texts: list[str]) -> Embedded:
        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: list[str]) -> Embedded:
        import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

        encodings = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, encoding in enumerate(encodings):
            if encoding.ids:
                vectors[row] = self.word_vectors[encoding.ids].mean(axis=0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        # A text without a word that is known has no direction; it gets one, which is near to nothing.
        vectors[lengths[:, 0] == 0, 0] = 1
        vectors /= np.where(lengths == 0, 1, lengths)
        return Embedded(
            vectors, sum(len(item.ids) for item in encodings), [bool(item.overflowing) for item in encodings]
        )
