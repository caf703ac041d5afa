"""Where papers come from. Adding a source: write its adapter, name it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.papers.sources.arxiv import LISTING, SNAPSHOT
from shared.papers.sources.openalex import OPENALEX
from shared.papers.sources.table import adapter_for
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from shared.papers.sources.paper import Adapter
    from shared.papers.sources.table import ColumnMapping

_ADAPTERS: dict[str, Adapter] = {"arxiv": SNAPSHOT, "arxiv-listing": LISTING, "openalex": OPENALEX}
SOURCES = tuple(_ADAPTERS)


def adapter(source: str, mapping: ColumnMapping | None) -> Adapter:
    """What turns a source's records into papers: its own adapter, or one made of a mapping.

    Raises:
        InvalidInput: no source goes by that name, and nothing says where its columns lead.
    """
    if mapping is not None:
        return adapter_for(mapping)
    if source not in _ADAPTERS:
        raise InvalidInput(
            f"There is no source {source!r}, and no mapping says how to read it.",
            field="source",
            code="unknown-source",
            remedy=f"Name one of {', '.join(SOURCES)}, or send `mapping` with the names of the columns.",
        )
    return _ADAPTERS[source]
