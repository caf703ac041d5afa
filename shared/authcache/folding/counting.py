"""Counts users, shares and who shares, from what a fold changes: nobody reads all rows for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shared.authcache.base.format.arrow import DROPPED
from shared.authcache.base.format.names import parquet_file
from shared.authcache.base.format.pyarrow import Columns, Values, compute, pa
from shared.authcache.base.manifest import Counts, Segment
from shared.authcache.base.writing import current_rows
from shared.authcache.folding.choosing import hashed
from shared.authcache.folding.segments import batches
from shared.authcache.reading.levels import Level
from shared.authcache.reading.view import View
from shared.authcache.tables import SHARES, USERS, Table
from shared.platform.access.passwords.kinds import cost_in_effect

_AFTER_THE_COST = r"^(\$argon2id\$v=\d+\$[^$]*|\$2[aby]\$\d\d|scrypt\$\d+\$\d+\$\d+)\$?.*$"


async def counted(whole: Counts, base: Level, changed: Level, rows: Mapping[str, Columns]) -> Counts:
    """How many there are when `changed`, whose rows are given too, lies over a base that holds `whole`."""
    over = View(0, (), (changed, base))
    under = View(0, (), (base,))
    owners = set(current_rows(rows[SHARES.name]).column("owner").to_pylist())
    shares = 0
    for row_id in rows[SHARES.name].column("id").to_pylist():
        before, after = await under.get(SHARES, row_id), await over.get(SHARES, row_id)
        shares += (after is not None) - (before is not None)
        owners |= {before.owner} if before is not None else set()
    sharing = 0
    for owner in owners:
        sharing += bool(await over.shared_by(owner)) - bool(await under.shared_by(owner))
    users, costs = 0, Counter(whole.costs)
    for row_id in rows[USERS.name].column("id").to_pylist():
        before, after = await under.get(USERS, row_id), await over.get(USERS, row_id)
        users += (after is not None) - (before is not None)
        if before is not None:
            costs[str(cost_in_effect(before.password_hash))] -= 1
        if after is not None:
            costs[str(cost_in_effect(after.password_hash))] += 1
    return Counts(
        users=whole.users + users,
        shares=whole.shares + shares,
        owners=whole.owners + sharing,
        costs={cost: number for cost, number in costs.items() if number > 0},
    )


def counted_whole(segment: Segment, folder: Path) -> Counts:
    """How many there are in a segment of everything whose files stand in the folder."""
    owners: list[Any] = [np.empty(0, np.int64)]
    if SHARES.name in segment.tables and segment.tables[SHARES.name].rows:
        pieces = batches(folder / parquet_file(SHARES.name), ["owner", DROPPED])
        owners += [hashed(compute.unique(current_rows(rows).column("owner"))) for rows in pieces]
    costs: Counter[str] = Counter()
    if USERS.name in segment.tables and segment.tables[USERS.name].rows:
        for rows in batches(folder / parquet_file(USERS.name), ["password_hash", DROPPED]):
            costs += _costs(current_rows(rows).column("password_hash"))
    sharing = len(np.unique(np.concatenate(owners)))
    return Counts(users=_rows(segment, USERS), shares=_rows(segment, SHARES), owners=sharing, costs=dict(costs))


def _costs(hashes: Values) -> Counter[str]:
    """How many of the hashes have each cost. Those that begin alike cost the same, so one of each kind is looked at."""
    beginnings = compute.replace_substring_regex(hashes, _AFTER_THE_COST, r"\1")
    groups = pa.table({"beginning": beginnings, "stored": hashes}).group_by("beginning")
    rows = groups.aggregate([("stored", "min"), ("stored", "count")]).to_pylist()
    costs: Counter[str] = Counter()
    for group in rows:
        costs[str(cost_in_effect(group["stored_min"] or ""))] += group["stored_count"]
    return costs


def _rows(segment: Segment, table: Table[Any]) -> int:
    part = segment.tables.get(table.name)
    return part.rows - part.dropped if part else 0
