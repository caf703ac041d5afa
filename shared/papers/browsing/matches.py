"""The numbers of the points that match, all of them."""

from __future__ import annotations

from shared.papers.maps import versions
from shared.papers.maps.area import within
from shared.papers.maps.points.columns import columns
from shared.papers.search.filtering.conditions import condition_of
from shared.papers.search.filtering.filters import parse
from shared.papers.search.models import Question
from shared.papers.search.ranking.nearest import MOST
from shared.papers.search.search import reading, search


async def matches(version: int, filters: str | None, bbox: str | None, written: str | None) -> bytes:
    """The points' numbers as uint32, ascending; with `written` those of the papers that the search finds for it.

    Raises:
        NotFound: the version is not kept.
        InvalidInput: the filter or the rectangle is unusable.
        TransientError: it took longer than PAPERS_QUERY_SECONDS.
    """
    await versions.find(version)
    condition = condition_of(parse(filters) if filters else None)
    if bbox:
        sql, values = await within(bbox, version)
        condition = condition.also(sql, **values)
    if written:
        answer = await search(
            Question(written=written, filters=filters, bbox=bbox, fields=("doctrove_paper_id",), limit=MOST)
        )
        ids = [paper.get("doctrove_paper_id") for paper in answer.results]
        condition = condition.also("p.paper_id = any(%(ids)s::uuid[])", ids=ids)
    query = (
        f"select m.point from papers.papers p join papers.map_points_{version:d} m using (paper_id)"  # noqa: S608 - ours
        f" where {condition.sql} order by 1"
    )
    async with reading() as connection:
        numbers = await columns(connection, query, condition.values, {"point": "int4"})
    return numbers["point"].astype("<u4").tobytes()
