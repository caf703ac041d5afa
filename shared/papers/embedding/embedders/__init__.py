"""What turns texts into vectors. Adding an embedder: write it, name it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.papers.settings import settings
from shared.platform.errors import NotFound

if TYPE_CHECKING:
    from shared.papers.embedding.embedders.base import Embedder


def identity(name: str) -> tuple[str, str]:
    """The name and the version of the model, without loading it."""
    match name:
        case "openai":
            return name, f"{settings().papers_openai_model}-{settings().papers_openai_dimensions}"
        case "static":
            from shared.papers.embedding.embedders.static import StaticEmbedder  # noqa: PLC0415 - loads what it needs

            return name, StaticEmbedder.version
        case "minilm":
            from shared.papers.embedding.embedders.minilm import MiniLmEmbedder  # noqa: PLC0415 - as above

            return name, MiniLmEmbedder.version
        case _:
            from shared.papers.embedding.embedders.hashing import HashingEmbedder  # noqa: PLC0415 - as above

            return name, HashingEmbedder.version


def embedder(name: str) -> Embedder:
    """The embedder of that name.

    Raises:
        NotFound: there is none of that name.
        TerminalError: its settings are missing.
    """
    match name:
        case "static":
            from shared.papers.embedding.embedders.static import StaticEmbedder  # noqa: PLC0415 - loads what it needs

            return StaticEmbedder.loaded()
        case "minilm":
            from shared.papers.embedding.embedders.minilm import MiniLmEmbedder  # noqa: PLC0415 - as above

            return MiniLmEmbedder.loaded()
        case "hashing":
            from shared.papers.embedding.embedders.hashing import HashingEmbedder  # noqa: PLC0415 - as above

            return HashingEmbedder()
        case "openai":
            from shared.papers.embedding.embedders.openai import OpenAiEmbedder  # noqa: PLC0415 - as above

            return OpenAiEmbedder.from_settings()
        case _:
            raise NotFound(
                f"There is no embedder {name!r}.", code="unknown-embedder", remedy="Set PAPERS_EMBEDDER to one that is."
            )
