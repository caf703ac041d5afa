"""The papers that a map is fitted to, in a table of their own, and which of them are near to each other.

They are chosen by a hash of their ids: a fair sample, of which another version takes the same papers again. Where most
papers are new, a part of it is kept for those of the map before, by which the new one is laid onto that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.maps import files
from shared.papers.maps.models import SHARE_ROWS, MapPlan, NeighbourShare
from shared.papers.maps.versions import unknown_map
from shared.papers.settings import settings
from shared.platform.errors import TerminalError
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import AsyncConnection

NEIGHBOURS = 45
"""Of each paper: what t-SNE sees of it, and more than say where another paper lies."""
SHARE_PAPERS = 20_000
"""Papers that one activity places."""
_KEPT_PART = 10
"""One in so many of the sample is of the map before, if that has so many."""
_INDEXED = 5_000
"""Rows from which on an index finds their neighbours sooner than comparing all with all."""


async def plan(version: int) -> MapPlan:
    """Choose the sample, and cut the papers into shares; done before, both stay as they are.

    Raises:
        NotFound: there is no such version.
        TerminalError: its model's vectors are no longer there.
    """
    async with database() as connection:
        maps = await rows(connection, "select * from papers.maps where version = %s for no key update", (version,))
        if not maps:
            raise unknown_map(version)
        [row] = maps
        if row["state"] != "building":
            return MapPlan(ended=True)
        if row["sampled"] is None:
            row |= await _choose(connection, row)
    return MapPlan(ended=False, sampled=row["sampled"], shares=len(row["shares"]) + 1)


async def _choose(connection: AsyncConnection[Any], row: dict[str, Any]) -> dict[str, Any]:
    version = row["version"]
    models = await rows(connection, "select dimensions from papers.models where model_id = %s", (row["model_id"],))
    if not models:
        raise TerminalError(
            f"The vectors of {row['model']} are no longer there.", code="model-dropped", remedy=files.MAKE_ANOTHER
        )
    await connection.execute("select papers.make_map(%s, %s)", (version, models[0]["dimensions"]))
    vectors = f"papers.vectors_{row['model_id']:d}"
    before, size = points_before(row), settings().papers_map_sample
    inserted = await connection.execute(
        f"""
        insert into papers.map_sample_{version:d} (number, paper_id, embedding, x, y)
        select row_number() over (order by c.hash, c.paper_id) - 1, c.paper_id, v.embedding, b.x, b.y
        from (
            select paper_id, hashtextextended(paper_id::text, 0) as hash, k.paper_id is null as new from {vectors}
            left join (select b.paper_id from {before} b join {vectors} using (paper_id)
                       order by hashtextextended(b.paper_id::text, 0), 1 limit %s) k using (paper_id)
            order by 3, 2, 1 limit %s
        ) c join {vectors} v using (paper_id) left join {before} b using (paper_id)
        """.encode(),  # noqa: S608 - numbers
        (size // _KEPT_PART, size),
    )
    cuts = await rows(
        connection,
        f"select paper_id from (select paper_id, row_number() over (order by paper_id) as n from {vectors}) c"  # noqa: S608 - as above
        " where n %% %s = 0 order by paper_id",
        (SHARE_PAPERS,),
    )
    # The last share takes all behind the cut before it, also what comes while the others are placed.
    changes = {"sampled": inserted.rowcount, "shares": [cut["paper_id"] for cut in cuts]}
    await connection.execute(
        "update papers.maps set sampled = %s, shares = %s where version = %s",
        (changes["sampled"], changes["shares"], version),
    )
    return changes


async def index(version: int) -> None:
    """See that neighbours are found by an index, where that is sooner."""
    async with database() as connection:
        await connection.execute(
            "select papers.index_map_sample(version) from papers.maps where version = %s and sampled >= %s",
            (version, _INDEXED),
        )


async def find_neighbours(share: NeighbourShare) -> None:
    """Find the nearest rows of each row of the share, and write them into a file."""
    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it

    table = f"papers.map_sample_{share.version:d}"
    async with database() as connection:
        await connection.execute("select set_config('hnsw.ef_search', %s, true)", (str(2 * NEIGHBOURS + 10),))
        pairs = await rows(
            connection,
            f"select s.number, n.number as near, n.distance from {table} s cross join lateral"  # noqa: S608 - numbers
            f" (select o.number, o.embedding <=> s.embedding as distance from {table} o"
            " order by o.embedding <=> s.embedding limit %s) n"
            " where s.number >= %s and s.number < %s order by s.number, n.distance",
            (NEIGHBOURS + 1, share.first, share.first + share.count),
            prepare=False,
        )
    of: dict[int, list[tuple[int, float]]] = {number: [] for number in range(share.first, share.first + share.count)}
    for row in pairs:
        if row["near"] != row["number"]:
            of[row["number"]].append((row["near"], row["distance"]))
    near, distances = _columns(list(of.values()), share.first, np)
    await files.write(share.version, _file(share.first), files.packed(near=near, distances=distances))


async def neighbours(version: int, sampled: int) -> tuple[Any, Any]:
    """The numbers of all rows' nearest rows, and their distances as straight lines between vectors of length 1."""
    import numpy as np  # noqa: PLC0415 - as above

    parts = [files.unpacked(await files.read(version, _file(first))) for first in range(0, sampled, SHARE_ROWS)]
    width = min(part["near"].shape[1] for part in parts)
    return (
        np.concatenate([part["near"][:, :width] for part in parts]),
        np.concatenate([part["distances"][:, :width] for part in parts]),
    )


async def read_sample(version: int) -> tuple[Sequence[UUID], Any, Any]:
    """The papers of the sample, their vectors, and where they are on the map before (NaN: they are not)."""
    import numpy as np  # noqa: PLC0415 - as above
    from pgvector.psycopg import register_vector_async  # noqa: PLC0415 - as above

    async with database() as connection:
        await register_vector_async(connection)
        papers = await rows(
            connection,
            f"select paper_id, embedding, x, y from papers.map_sample_{version:d} order by number",  # noqa: S608 - a number
        )
    vectors = np.array([row["embedding"].to_numpy() for row in papers], np.float32)
    places_before = np.array([(row["x"], row["y"]) for row in papers], np.float32)
    return [row["paper_id"] for row in papers], vectors, places_before


def points_before(row: dict[str, Any]) -> str:
    """The table of the points of the map at which the version starts, as SQL; an empty one if it starts at none."""
    if not row["starts_at"]:
        return "(select null::uuid as paper_id, null::real as x, null::real as y where false)"
    return f"papers.map_points_{row['starts_at']:d}"


def _columns(of: list[list[tuple[int, float]]], first: int, np: Any) -> tuple[Any, Any]:
    """As arrays. Of a vector that has no direction nothing is near; it then has itself, and an index may miss a few."""
    width = max(1, *map(len, of))
    near, distances = np.zeros((len(of), width), "<i4"), np.zeros((len(of), width), "<f4")
    for row, nearest in enumerate(of):
        comparable = [(number, distance) for number, distance in nearest if distance == distance]  # noqa: PLR0124 - NaN differs
        filled = comparable[:width] + [comparable[-1] if comparable else (first + row, 1.0)] * (width - len(comparable))
        near[row] = [number for number, _ in filled]
        distances[row] = [(2 * max(distance, 0.0)) ** 0.5 for _, distance in filled]
    return near, distances


def _file(first: int) -> str:
    return f"{files.WORK}/neighbours-{first:09}.npz"
