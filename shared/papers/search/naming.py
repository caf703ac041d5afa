"""Papers that are asked for by name: by a DOI or an arXiv id, which several sources may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.search.models import Hit, Hits
from shared.papers.sources.identifiers import arxiv_id_within, doi_within
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.papers.search.filtering.conditions import Condition

_MOST = 100
"""Sources that have one paper."""


def is_name(written: str) -> bool:
    """Whether a DOI or an arXiv id was written."""
    return bool(doi_within(written) or arxiv_id_within(written))


async def named(connection: AsyncConnection[Any], written: str, condition: Condition) -> Hits:
    """The papers of the condition whose name was written, or a warning that none has it."""
    doi, arxiv_id = doi_within(written), arxiv_id_within(written)
    by_name = condition.also("p.doi = %(doi)s or p.arxiv_id = %(arxiv_id)s", doi=doi, arxiv_id=arxiv_id)
    papers = await rows(
        connection,
        f"select p.paper_id from papers.papers p where {by_name.sql} order by p.source, p.paper_id limit {_MOST}",  # noqa: S608 - ours
        by_name.values,
    )
    hits = [Hit.model_validate(row) for row in papers]
    name = f"arXiv id {arxiv_id}" if arxiv_id else f"DOI {doi}"
    warnings = [] if hits else [f"No paper that the filters let through has the {name}: it was searched as words."]
    return Hits(hits=hits, plan=["identifier"], warnings=warnings)
