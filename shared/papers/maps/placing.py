"""Papers find their place: all of them when a version is made, and those that come later by the minute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from shared.papers.maps import sample
from shared.papers.maps.model_files import Model, model_of
from shared.papers.maps.models import MapRef, Placed, PlaceShare
from shared.papers.maps.versions import building
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from psycopg import AsyncConnection

BATCH = 2_000
"""Papers that come later, of one transaction."""
BOX_SECONDS = 60
_LOCK = 0x706C6163
"""Key of the advisory lock of whoever numbers additions: their numbers have no gaps."""


async def place_share(task: PlaceShare) -> Placed:
    """Place the papers of a share on a version that is made, those of the map before near to their places there.

    Done before, it changes nothing.
    """
    async with database() as connection:
        [row] = await rows(connection, "select * from papers.maps where version = %s", (task.version,))
        if row["drawn"] is not None or row["state"] != "building":
            return Placed(papers=0)
        cuts = row["shares"]
        papers = await _vectors(
            connection,
            f"select v.paper_id, v.embedding, b.x, b.y from papers.vectors_{row['model_id']:d} v"  # noqa: S608 - numbers
            f" left join {sample.points_before(row)} b using (paper_id)"
            " where (%(after)s::uuid is null or v.paper_id > %(after)s)"
            " and (%(upto)s::uuid is null or v.paper_id <= %(upto)s)",
            {
                "after": cuts[task.share - 1] if task.share else None,
                "upto": cuts[task.share] if task.share < len(cuts) else None,
            },
        )
    placed = await _place(await model_of(task.version), papers)
    async with database() as connection:
        await _copy(connection, placed)
        await connection.execute(
            f"insert into papers.map_placed_{task.version:d} (paper_id, x, y, cluster)"  # noqa: S608 - a number
            " select paper_id, x, y, cluster from places_in on conflict do nothing".encode()
        )
    return Placed(papers=len(placed))


async def place_new(ref: MapRef, *, clock: Callable[[], float] = time.monotonic) -> Placed:
    """Place papers that came since the version was drawn, for about a minute; call again until `done`.

    A paper that has a place keeps it, whatever its text has become.
    """
    deadline = clock() + BOX_SECONDS
    placed = 0
    while True:
        batch = await _place_batch(ref.version)
        placed += batch or 0
        if batch is None or clock() >= deadline:
            return Placed(papers=placed, done=batch is None)


async def anything_to_do() -> bool:
    """Whether a version is being made, or papers wait for a place."""
    return bool(await building()) or await anything_unplaced()


async def anything_unplaced() -> bool:
    """Whether papers wait for a place on the current version. Costs one small read."""
    async with database() as connection:
        [row] = await rows(connection, f"select exists ({_UNPLACED}) as waiting")
    return row["waiting"]


async def current_version() -> int | None:
    """The version that is seen; None: there is none yet."""
    async with database() as connection:
        maps = await rows(connection, "select version from papers.maps where state = 'current'")
    return maps[0]["version"] if maps else None


async def _place_batch(version: int) -> int | None:
    """Place some that wait; how many got one. None: nothing waits."""
    async with database() as connection:
        # Before anything is read, so that what is read is not what another worker is placing.
        await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        state = await rows(connection, "select * from papers.maps where version = %s", (version,))
        if not state or state[0]["state"] != "current":
            return None
        [row] = state
        waiting = await rows(
            connection,
            "delete from papers.unplaced where (version, paper_id) in (select version, paper_id from papers.unplaced"
            " where version = %s order by paper_id limit %s) returning paper_id",
            (version, BATCH),
        )
        if not waiting or row["model_id"] is None:
            return None
        papers = await _vectors(
            connection,
            "select v.paper_id, v.embedding, null::real as x, null::real as y"  # noqa: S608 - numbers
            f" from papers.vectors_{row['model_id']:d} v where v.paper_id = any(%(ids)s)"
            f" and not exists (select from papers.map_points_{version:d} m where m.paper_id = v.paper_id)"
            " order by v.paper_id",
            {"ids": [paper["paper_id"] for paper in waiting]},
        )
        placed = await _place(await model_of(version), papers)
        await _copy(connection, placed)
        await connection.execute(
            f"insert into papers.map_points_{version:d} (paper_id, point, x, y, cluster)"  # noqa: S608 - a number
            " select paper_id, %s + row_number() over (order by paper_id) - 1, x, y, cluster from places_in".encode(),
            (row["papers"] + row["additions"],),
        )
        await connection.execute(
            "update papers.maps set additions = additions + %s, far = far + %s where version = %s",
            (len(placed), sum(paper[4] < row["nearness"] for paper in placed), version),
        )
    return len(placed)


_UNPLACED = "select from papers.unplaced u join papers.maps m using (version) where m.state = 'current'"
_Place = tuple["UUID", float, float, int, float]
"""A paper, its position, its cluster, and how near it is to the sample."""


async def _vectors(connection: AsyncConnection[Any], query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    from pgvector.psycopg import register_vector_async  # noqa: PLC0415 - loads in the activity that needs it

    await register_vector_async(connection)
    return await rows(connection, query, values)


async def _place(model: Model, papers: Sequence[dict[str, Any]]) -> list[_Place]:
    if not papers:
        return []
    import asyncio  # noqa: PLC0415 - beside the library that needs it

    return await asyncio.to_thread(_places, model, papers)


def _places(model: Model, papers: Sequence[dict[str, Any]]) -> list[_Place]:
    import numpy as np  # noqa: PLC0415 - as above

    from shared.papers.maps.layout import clusters, placing  # noqa: PLC0415 - as above

    vectors = placing.unit(np.array([row["embedding"].to_numpy() for row in papers], np.float32))
    positions, nearness = placing.place(vectors, model.vectors, model.positions)
    before = np.array([(row["x"], row["y"]) for row in papers], np.float32)
    common = ~np.isnan(before[:, 0])
    positions[common] = before[common] + (positions[common] - before[common]) * model.leash
    for row, paper in enumerate(papers):
        # The papers of the sample lie where the fit has put them.
        if (fitted := model.rows.get(paper["paper_id"].bytes)) is not None:
            positions[row] = model.positions[fitted]
    own = clusters.nearest(positions, model.middles)
    return [
        (paper["paper_id"], *position, cluster, near)
        for paper, position, cluster, near in zip(
            papers, positions.tolist(), own.tolist(), nearness.tolist(), strict=True
        )
    ]


async def _copy(connection: AsyncConnection[Any], placed: Sequence[_Place]) -> None:
    """Put the places into the temporary table of this transaction."""
    await connection.execute(
        "create temporary table if not exists places_in (paper_id uuid, x real, y real, cluster smallint)"
        " on commit delete rows"
    )
    async with connection.cursor().copy("copy places_in (paper_id, x, y, cluster) from stdin (format binary)") as copy:
        copy.set_types(["uuid", "float4", "float4", "int2"])
        for paper_id, x, y, cluster, _ in placed:
            await copy.write_row((paper_id, x, y, cluster))
