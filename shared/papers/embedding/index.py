"""The index of nearest neighbours: built when there are enough vectors, and only where it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.embedding.models import Indexed, ModelVersion
from shared.papers.settings import settings
from shared.platform.stores.postgres import database, each_statement_commits, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

WORTHWHILE = 20_000
"""Vectors; fewer are searched one by one in some milliseconds, without missing any."""
_LINKS_BYTES = 450
"""Of a vector in the index: its links to 24 neighbours a level, both ways, and what pages cost."""


def index_bytes(vectors: int, dimensions: int) -> int:
    """What an index of so many vectors takes, on the disk and in the memory of whoever builds it."""
    return vectors * (dimensions * 2 + _LINKS_BYTES)


def why_not(vectors: int, dimensions: int) -> str | None:
    """Why so many vectors get no index; None: they get one."""
    if vectors < WORTHWHILE:
        return f"{vectors:,} vectors are searched one by one"
    needed, allowed = index_bytes(vectors, dimensions), settings().papers_index_gb * 1e9
    if needed > allowed:
        return (
            f"an index of {vectors:,} vectors of {dimensions} dimensions takes about {needed / 1e9:.1f} GB, more than"
            f" PAPERS_INDEX_GB allows ({allowed / 1e9:g})"
        )
    return None


def described(vectors: int, dimensions: int, size: int | None, percent: int | None) -> str:
    """The index in a few words, by its bytes if it is there, and by how far its build is if one runs."""
    if size is not None:
        return f"built, {size / 1e6:,.0f} MB"
    if percent is not None:
        return f"being built, {percent} %"
    return why_not(vectors, dimensions) or "due"


async def build(version: ModelVersion) -> Indexed:
    """Build the index, if there are enough vectors and it fits into PAPERS_INDEX_GB; built before, it stays.

    Writers of this version's vectors wait until it is built; readers do not. Should this activity end before, the
    server goes on: the statement is a transaction of its own.
    """
    async with database() as connection, each_statement_commits(connection):
        if (percent := await _under_way(connection, version.model_id)) is not None:
            return Indexed(indexed=False, reason=f"it is being built: {percent} %")
        [row] = await rows(connection, f"select count(*)::bigint as n from papers.vectors_{version.model_id:d}")  # noqa: S608 - a number
        vectors = row["n"]
        if reason := why_not(vectors, version.dimensions):
            return Indexed(indexed=False, reason=reason)
        needed = index_bytes(vectors, version.dimensions)
        await connection.execute(
            "select papers.index_vectors(%s::smallint, %s)", (version.model_id, f"{max(needed // 1_000_000, 64)}MB")
        )
    return Indexed(indexed=True)


async def _under_way(connection: AsyncConnection[Any], model_id: int) -> int | None:
    """How far a build that another activity has begun is, in percent; None: there is none."""
    builds = await rows(
        connection,
        "select coalesce(100 * tuples_done / nullif(tuples_total, 0), 0)::int as percent"
        " from pg_stat_progress_create_index where relid = to_regclass(%s)",
        (f"papers.vectors_{model_id:d}",),
    )
    return builds[0]["percent"] if builds else None
