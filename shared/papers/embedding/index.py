"""The index of nearest neighbours: built when there are enough vectors, and only where it fits."""

from __future__ import annotations

from shared.papers.embedding.models import Indexed, ModelVersion
from shared.papers.settings import settings
from shared.platform.stores.postgres import database, rows

WORTHWHILE = 20_000
"""Vectors; fewer are searched one by one in some milliseconds, without missing any."""
_LINKS_BYTES = 320
"""Of a vector in the index: its links to 16 neighbours a level, both ways, and what pages cost."""


def index_bytes(vectors: int, dimensions: int) -> int:
    """What an index of so many vectors takes, on the disk and in the memory of whoever builds it."""
    return vectors * (dimensions * 2 + _LINKS_BYTES)


async def build(version: ModelVersion) -> Indexed:
    """Build the index, if there are enough vectors and it fits into PAPERS_INDEX_GB; built before, it stays.

    Writers of this version's vectors wait until it is built; readers do not.
    """
    async with database() as connection:
        [row] = await rows(connection, f"select count(*)::bigint as n from papers.vectors_{version.model_id:d}")  # noqa: S608 - a number
        vectors = row["n"]
        if vectors < WORTHWHILE:
            return Indexed(indexed=False, reason=f"{vectors:,} vectors are searched one by one")
        needed, allowed = index_bytes(vectors, version.dimensions), settings().papers_index_gb * 1e9
        if needed > allowed:
            return Indexed(
                indexed=False,
                reason=f"an index of {vectors:,} vectors of {version.dimensions} dimensions takes about"
                f" {needed / 1e9:.1f} GB, more than PAPERS_INDEX_GB allows ({allowed / 1e9:g})",
            )
        await connection.execute(
            "select papers.index_vectors(%s::smallint, %s)", (version.model_id, f"{max(needed // 1_000_000, 64)}MB")
        )
    return Indexed(indexed=True)
