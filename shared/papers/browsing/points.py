"""What a point is, where a paper lies, and what came since the map was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.papers.maps import versions
from shared.papers.maps.points import tiles
from shared.papers.maps.points.drawing import read_points
from shared.papers.search.models import COLUMNS
from shared.papers.search.search import reading
from shared.platform.models import LazyModel
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_POINTS = 200
"""Of one answer in JSON, by their numbers or by their papers' ids."""
MOST_SELECTED = 50_000
"""Of one selection."""


class PaperPlace(LazyModel):
    """Where a paper lies."""

    paper_id: UUID
    point: int
    x: float
    y: float


async def papers_of(version: int, points: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
    """The papers of points with these fields, `point`, `x`, `y` and `cluster`, in the order of the points.

    Raises:
        NotFound: the version is not kept.
        TransientError: it took longer than PAPERS_QUERY_SECONDS.
    """
    await versions.find(version)
    selected = "".join(f", {COLUMNS[name]} as {name}" for name in fields if name in COLUMNS)
    async with reading() as connection:
        return await rows(
            connection,
            f"select m.point, m.x, m.y, m.cluster{selected} from unnest(%s::int[]) with ordinality as o (point, place)"  # noqa: S608 - ours
            f" join papers.map_points_{version:d} m using (point) join papers.papers p using (paper_id)"
            " order by o.place",
            (list(points),),
            prepare=False,
        )


async def places_of(version: int, papers: Sequence[UUID]) -> list[PaperPlace]:
    """Where papers lie, of those that have a place. Raises as `papers_of`."""
    await versions.find(version)
    async with reading() as connection:
        places = await rows(
            connection,
            f"select paper_id, point, x, y from papers.map_points_{version:d} where paper_id = any(%s) order by point",  # noqa: S608 - a number
            (list(papers),),
        )
    return [PaperPlace.model_validate(row) for row in places]


async def additions(version: int, after: int | None) -> bytes:
    """The papers that came since the version was drawn, as its file of points has them, from number `after` on.

    Raises as `papers_of`.
    """
    row = await versions.find(version)
    first = max(after or 0, row["papers"])
    async with reading() as connection:
        sources = [source_class["name"] for source_class in row["drawn"]["classes"]]
        points = await read_points(connection, version, sources, first=first, most=tiles.BLOCK)
    return tiles.points_file(version, versions.extent_of(row), points)
