"""What turns texts into vectors. Adding an embedder: write it, name it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.papers.settings import settings
from shared.platform.errors import NotFound, TerminalError

if TYPE_CHECKING:
    from shared.papers.embedding.embedders.base import Embedder
    from shared.papers.embedding.models import ModelVersion


@dataclass(frozen=True, slots=True)
class ConfiguredModel:
    """The version of a model that the settings ask for.

    Attributes:
        batch_model: that answers its batches; empty: the same.
        dollars_per_million: what a million tokens of it cost.
    """

    name: str
    version: str
    dimensions: int
    batch_model: str = ""
    dollars_per_million: float = 0.0


def configured_model() -> ConfiguredModel:
    """What the settings ask for, without loading the model. Vectors of other versions are made as their rows say."""
    config = settings()
    match config.papers_embedder:
        case "openai":
            return ConfiguredModel(
                "openai",
                f"{config.papers_openai_model}-{config.papers_openai_dimensions}",
                config.papers_openai_dimensions,
                config.papers_openai_batch_model,
                config.papers_openai_dollars_per_million,
            )
        case "static":
            from shared.papers.embedding.embedders.static import StaticEmbedder  # noqa: PLC0415 - loads what it needs

            return ConfiguredModel(StaticEmbedder.name, StaticEmbedder.version, StaticEmbedder.dimensions)
        case "minilm":
            from shared.papers.embedding.embedders.minilm import MiniLmEmbedder  # noqa: PLC0415 - as above

            return ConfiguredModel(MiniLmEmbedder.name, MiniLmEmbedder.version, MiniLmEmbedder.dimensions)
        case "hashing":
            from shared.papers.embedding.embedders.hashing import HashingEmbedder  # noqa: PLC0415 - as above

            return ConfiguredModel(HashingEmbedder.name, HashingEmbedder.version, HashingEmbedder.dimensions)


def embedder(version: ModelVersion) -> Embedder:
    """The embedder that made the vectors of a version.

    Raises:
        NotFound: there is none of that name.
        TerminalError: it is not there, or not in this version any more.
    """
    match version.name:
        case "openai":
            from shared.papers.embedding.embedders.openai import OpenAiEmbedder  # noqa: PLC0415 - loads what it needs

            return OpenAiEmbedder.of(version)
        case "static":
            from shared.papers.embedding.embedders.static import StaticEmbedder  # noqa: PLC0415 - as above

            model: Embedder = StaticEmbedder.loaded()
        case "minilm":
            from shared.papers.embedding.embedders.minilm import MiniLmEmbedder  # noqa: PLC0415 - as above

            model = MiniLmEmbedder.loaded()
        case "hashing":
            from shared.papers.embedding.embedders.hashing import HashingEmbedder  # noqa: PLC0415 - as above

            model = HashingEmbedder()
        case _:
            raise NotFound(
                f"There is no embedder {version.name!r}.",
                code="unknown-embedder",
                remedy="Set PAPERS_EMBEDDER to one that is.",
            )
    if model.version != version.version:
        raise TerminalError(
            f"The embedder {version.name} is {model.version} here, and the vectors are of {version.version}.",
            code="embedder-other-version",
            remedy="Run the app's version that made them, or wait until the new version is built beside them.",
        )
    return model
