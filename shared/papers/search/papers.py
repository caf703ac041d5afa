"""One paper with all that is known of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from shared.papers.search.models import COLUMNS, FoundPaper
from shared.platform.errors import NotFound
from shared.platform.models import LazyModel
from shared.platform.stores.postgres import database, rows


class SameWork(LazyModel):
    """The same work in another source."""

    doctrove_paper_id: str
    doctrove_source: str
    doctrove_source_id: str


class PaperDetail(LazyModel):
    """A paper with all that is known of it."""

    paper: FoundPaper
    details: dict[str, Any] = Field(description="what else its source says")
    same_work: list[SameWork] = Field(description="papers with its DOI or arXiv id, and papers with theirs")


async def read(paper_id: UUID) -> PaperDetail:
    """The paper.

    Raises:
        NotFound: there is none of this id.
    """
    selected = ", ".join(f"{column} as {name}" for name, column in COLUMNS.items())
    async with database() as connection:
        papers = await rows(
            connection,
            f"select p.details, {selected} from papers.papers p where p.paper_id = %s",  # noqa: S608 - ours
            (paper_id,),
        )
        if not papers:
            raise NotFound(
                f"There is no paper {paper_id}.", code="unknown-paper", remedy="GET /api/papers finds those that are."
            )
        same = await rows(connection, _SAME_WORK, {"paper_id": paper_id})
    details = papers[0].pop("details")
    paper: Any = papers[0]
    return PaperDetail(paper=paper, details=details, same_work=[SameWork.model_validate(row) for row in same])


# One link leads to the next: a paper with a DOI, another with that and an arXiv id, a third with the arXiv id alone.
_SAME_WORK = """
with recursive linked as (
    select paper_id, doi, arxiv_id from papers.papers where paper_id = %(paper_id)s
    union
    select p.paper_id, p.doi, p.arxiv_id from linked l join papers.papers p on p.doi = l.doi or p.arxiv_id = l.arxiv_id
)
select p.paper_id::text as doctrove_paper_id, p.source as doctrove_source, p.source_id as doctrove_source_id
from (select paper_id from linked limit 100) l join papers.papers p using (paper_id)
where paper_id <> %(paper_id)s order by 2, 3
"""
