"""Counts users, shares and who shares, from what a fold changes: nobody reads all rows for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.authcache.base.manifest import Counts, Segment
from shared.authcache.base.names import parquet_file
from shared.authcache.base.pyarrow import Columns, compute, pa
from shared.authcache.base.writing import live
from shared.authcache.folding.segments import batches
from shared.authcache.reading.levels import Level
from shared.authcache.reading.view import View
from shared.authcache.tables import SHARES, USERS, Table


async def counted(whole: Counts, base: Level, changed: Level, rows: Mapping[str, Columns]) -> Counts:
    """How many there are when `changed`, whose rows are given too, lies over a base that holds `whole`."""
    over = View(0, (changed, base))
    under = View(0, (base,))
    owners = set(live(rows[SHARES.name]).column("owner").to_pylist())
    shares = 0
    for row_id in rows[SHARES.name].column("id").to_pylist():
        before, after = await under.get(SHARES, row_id), await over.get(SHARES, row_id)
        shares += (after is not None) - (before is not None)
        owners |= {before.owner} if before is not None else set()
    sharing = 0
    for owner in owners:
        sharing += bool(await over.shared_by(owner)) - bool(await under.shared_by(owner))
    users = await _gained(USERS, rows, under, over)
    return Counts(users=whole.users + users, shares=whole.shares + shares, owners=whole.owners + sharing)


def counted_whole(segment: Segment, folder: Path) -> Counts:
    """How many there are in a segment of everything whose files stand in the folder."""
    owners: Any = pa.array([], pa.string())
    if SHARES.name in segment.tables and segment.tables[SHARES.name].rows:
        for rows in batches(folder / parquet_file(SHARES.name), ["owner", "_dropped"]):
            owners = pa.concat_arrays([owners, compute.unique(live(rows).column("owner").combine_chunks())])
            owners = compute.unique(owners)
    return Counts(users=_rows(segment, USERS), shares=_rows(segment, SHARES), owners=len(owners))


async def _gained(table: Table[Any], rows: Mapping[str, Columns], under: View, over: View) -> int:
    gained = 0
    for row_id in rows[table.name].column("id").to_pylist():
        gained += (await over.get(table, row_id) is not None) - (await under.get(table, row_id) is not None)
    return gained


def _rows(segment: Segment, table: Table[Any]) -> int:
    part = segment.tables.get(table.name)
    return part.rows - part.dropped if part else 0
