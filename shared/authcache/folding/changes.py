"""Reads the log after a base, and what it makes of the base's rows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.authcache.log.groups import AT_ONCE, Lsn, read_group
from shared.authcache.log.records import Put
from shared.authcache.reading.levels import Level, Overlay
from shared.authcache.reading.view import View
from shared.authcache.tables import TABLES, Row

MOST_RECORDS = 200_000
"""Of one fold; the next takes up the rest."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What the log says after a base, up to `lsn`: by table and id the row, None if it is no more, and its LSN."""

    lsn: Lsn
    records: int
    rows: Mapping[str, Mapping[str, tuple[Row | None, Lsn]]]


async def changes_after(lsn: Lsn, levels: Sequence[Level]) -> Changes:
    """What the log holds after `lsn`, laid over the levels.

    Raises:
        TransientError: the blobs cannot be read.
        TerminalError: the log holds a record that this version does not know.
    """
    overlay = Overlay()
    view = View(lsn, (overlay,), levels)
    lsns: dict[str, dict[str, Lsn]] = {name: {} for name in TABLES}
    records = 0
    ended = False
    while not ended and records < MOST_RECORDS:
        groups = await asyncio.gather(*(read_group(lsn + 1 + step) for step in range(AT_ONCE)))
        for group in groups:
            if group is None:
                ended = True
                break
            lsn += 1
            records += len(group.records)
            for record in group.records:
                for change in await record.changes(view):
                    overlay.apply([change])
                    lsns[change.table.name][change.row.id if isinstance(change, Put) else change.id] = lsn
    rows = {
        name: {row_id: (overlay.rows(table)[row_id], lsns[name][row_id]) for row_id in lsns[name]}
        for name, table in TABLES.items()
    }
    return Changes(lsn, records, rows)
