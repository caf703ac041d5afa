"""How many papers there are, of which sources, and whether they get their vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from shared.papers.embedding import versions
from shared.platform.models import LazyModel
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.papers.embedding.models import ModelVersion


class SourceFigures(LazyModel):
    """What the table holds of one source."""

    source: str
    papers: int
    earliest: str | None = Field(description="day of its oldest paper that has a date")
    latest: str | None
    without_abstract: int
    withdrawn: int


class Figures(LazyModel):
    """What the tables hold."""

    papers: int
    with_vector: int = Field(description="papers with a vector of the version that is searched")
    without_vector: int
    failed: int = Field(description="papers that the model could not embed")
    model: str | None = Field(description="the version that is searched")


class Enrichment(LazyModel):
    """Whether papers get their vectors."""

    status: Literal["green", "yellow", "red"]
    waiting: int
    failed: int
    model: str | None


async def by_source() -> list[SourceFigures]:
    """Each source's figures."""
    async with database() as connection:
        return [SourceFigures.model_validate(row) for row in await rows(connection, _SOURCES)]


async def totals() -> Figures:
    """The figures of all papers."""
    papers = sum(source.papers for source in await by_source())
    version = await versions.current()
    without_vector = version.waiting + version.failed if version else papers
    return Figures(
        papers=papers,
        with_vector=papers - without_vector,
        without_vector=without_vector,
        failed=version.failed if version else 0,
        model=version.label if version else None,
    )


async def enrichment() -> Enrichment:
    """Whether papers get their vectors, of the version that is searched."""
    version = await versions.current()
    return judged(version, papers_wait=version is None and await versions.anything_to_do())


def judged(version: ModelVersion | None, *, papers_wait: bool) -> Enrichment:
    """Yellow while papers wait or failed; red when papers are there and no version is searched."""
    if version is None:
        return Enrichment(status="red" if papers_wait else "green", waiting=0, failed=0, model=None)
    return Enrichment(
        status="yellow" if version.waiting or version.failed else "green",
        waiting=version.waiting,
        failed=version.failed,
        model=version.label,
    )


_SOURCES = """
select source, count(*)::int as papers, min(primary_date)::text as earliest, max(primary_date)::text as latest,
    count(*) filter (where abstract is null)::int as without_abstract,
    count(*) filter (where withdrawn)::int as withdrawn
from papers.papers group by source order by source
"""
