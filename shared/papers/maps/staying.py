"""Papers that are on the map before stay near to their places there, whatever share of the sample they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.papers.maps.models import Extent

MEASURED = 5_000
"""Papers by which their ways are measured: the median of so many is that of all."""


async def leash(row: dict[str, Any], vectors: Any, positions: Any, extent: Extent) -> float:
    """The part of its way that a paper goes which the map before has and the sample has not; 1: all of it.

    Args:
        row: of the version.
        vectors: of the sample, of length 1.
        positions: of the sample.
        extent: of the version.
    """
    import asyncio  # noqa: PLC0415 - beside the libraries that need it

    import numpy as np  # noqa: PLC0415 - loads in the activity that needs it
    from pgvector.psycopg import register_vector_async  # noqa: PLC0415 - as above

    from shared.papers.maps.layout import aligning, placing  # noqa: PLC0415 - as above

    if row["starts_at"] is None or row["model_id"] is None:
        return 1.0
    async with database() as connection:
        await register_vector_async(connection)
        papers = await rows(
            connection,
            _COMMON.format(version=row["version"], before=row["starts_at"], model=row["model_id"]),
            (MEASURED,),
        )
    if not papers:
        return 1.0
    own = placing.unit(np.array([paper["embedding"].to_numpy() for paper in papers], np.float32))
    now, _ = await asyncio.to_thread(placing.place, own, vectors, positions)
    return aligning.leash(now, np.array([(paper["x"], paper["y"]) for paper in papers]), extent.widest or 1.0)


_COMMON = """
select v.embedding, c.x, c.y from (
    select b.paper_id, b.x, b.y from papers.map_points_{before:d} b
    where not exists (select from papers.map_sample_{version:d} s where s.paper_id = b.paper_id)
    order by hashtextextended(b.paper_id::text, 0), b.paper_id limit %s
) c join papers.vectors_{model:d} v using (paper_id)
"""
