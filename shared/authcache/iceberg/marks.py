"""The LSN in a snapshot's summary: up to where an Iceberg table holds what the log says, and who wrote since."""

from __future__ import annotations

from dataclasses import dataclass

from pyiceberg.table import Table as IcebergTable

from shared.authcache.log.groups import Lsn

MARK = "manifold.lsn"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a table is.

    Attributes:
        lsn: of our newest snapshot; 0: there is none.
        snapshot: the id of the table's newest snapshot, whoever wrote it; None: it has none.
        foreign: snapshots that others wrote after ours, the newest first.
    """

    lsn: Lsn
    snapshot: int | None
    foreign: tuple[int, ...]


def mark_of(table: IcebergTable) -> Mark:
    """How far the table is, as it was loaded."""
    current = table.current_snapshot()
    foreign: list[int] = []
    snapshot = current
    while snapshot is not None:
        lsn = snapshot.summary.additional_properties.get(MARK) if snapshot.summary else None
        if lsn is not None:
            return Mark(int(lsn), current.snapshot_id if current else None, tuple(foreign))
        foreign.append(snapshot.snapshot_id)
        parent = snapshot.parent_snapshot_id
        snapshot = table.snapshot_by_id(parent) if parent is not None else None
    return Mark(0, current.snapshot_id if current else None, tuple(foreign))
