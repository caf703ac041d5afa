"""Appends to the Iceberg tables, each exactly once, and their upkeep: fewer files, fewer snapshots. Blocks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any
from uuid import uuid4

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import ALWAYS_TRUE
from pyiceberg.table import Table as IcebergTable

from shared.authcache.base.format.pyarrow import Columns, pa
from shared.authcache.iceberg.catalog import answering, catalog
from shared.authcache.iceberg.marks import MARK, Mark, mark_of
from shared.authcache.iceberg.pyiceberg import arrow_scan, data_files
from shared.authcache.iceberg.tables import existing, prepared, to_iceberg
from shared.authcache.log.groups import Lsn
from shared.authcache.settings import settings
from shared.authcache.tables import Table
from shared.platform.errors import Conflict, TransientError

logger = logging.getLogger(__name__)
SMALL_BYTES = 16 << 20
"""Data files below this are made one when there are many."""
GROUP_BYTES = 4 * SMALL_BYTES
"""That rows take in memory which become one data file; there they take about a third."""
MERGED_BYTES = 4 * SMALL_BYTES
"""That are made one at once: their rows are in memory meanwhile."""


def look(table: Table[Any]) -> Mark:
    """How far the table is in the catalog now. Raises TransientError."""
    iceberg = existing(catalog(), table)
    return Mark(0, None, ()) if iceberg is None else mark_of(iceberg)


def files_of(table: Table[Any]) -> int:
    """How many data files the table has now. Raises TransientError."""
    iceberg = existing(catalog(), table)
    newest = iceberg.current_snapshot() if iceberg is not None else None
    summary = newest.summary if newest is not None else None
    return int(summary["total-data-files"] or 0) if summary is not None else 0


def append(table: Table[Any], pieces: Iterable[Columns], lsn: Lsn) -> bool:
    """Append rows in one snapshot that is marked with `lsn`; False where the table is that far already.

    However often it is called for one LSN, and whatever answer was lost, the table holds the rows once.

    Raises:
        Conflict: others have written to the table, which has to be taken in first.
        TransientError: the catalog does not answer.
    """
    iceberg = prepared(catalog(), table)
    if not _is_behind(mark_of(iceberg), lsn, table):
        return False

    with answering():  # one by one: pyiceberg itself takes all pieces into memory before it has written the first
        written = [file for rows in _grouped(pieces) for file in _files(iceberg, to_iceberg(table, rows, iceberg))]

    def commit() -> None:
        _swap(iceberg, [], written, {MARK: str(lsn)})

    return _committed(table, lsn, commit)


def replace(table: Table[Any], batches: Iterable[Columns], lsn: Lsn, seen: int | None) -> None:
    """Replace all that stood in the table as of snapshot `seen`, in one snapshot that is marked with `lsn`.

    Raises:
        Conflict: others have written to the table since.
        TransientError: the catalog does not answer.
    """
    iceberg = prepared(catalog(), table)
    mark = mark_of(iceberg)
    if mark.snapshot != seen:
        raise _changed(table)
    with answering():
        written = [one for batch in batches for one in _files(iceberg, to_iceberg(table, batch, iceberg))]
        old = [task.file for task in iceberg.scan().plan_files()]
    # One that holds what the table holds already may be marked so too, so it is told apart by an id of its own.
    commit_id = uuid4().hex

    def swap() -> None:
        _swap(iceberg, old, written, {MARK: str(lsn), "manifold.commit": commit_id})

    if not _committed(table, lsn, swap, commit_id):
        raise _changed(table)


def merge_small_files(table: Table[Any]) -> int:
    """Make the smallest data files one when there are AUTHCACHE_MOST_FILES small ones; how many became one.

    Raises:
        Conflict: others have written to the table.
        TransientError: the catalog does not answer.
    """
    iceberg = existing(catalog(), table)
    if iceberg is None or (mark := mark_of(iceberg)).foreign:
        return 0
    with answering():
        every = sorted(iceberg.scan().plan_files(), key=lambda task: task.file.file_size_in_bytes)
        small = [task for task in every if task.file.file_size_in_bytes < SMALL_BYTES]
        if len(small) < settings().authcache_most_files:
            return 0
        sizes = accumulate(task.file.file_size_in_bytes for task in small)
        small = [task for task, size in zip(small, sizes, strict=True) if size <= MERGED_BYTES]
        scan = arrow_scan(iceberg.metadata, iceberg.io, iceberg.schema(), ALWAYS_TRUE)
        written = list(_files(iceberg, scan.to_table(small)))
    commit_id = uuid4().hex

    def swap() -> None:
        files = [task.file for task in small]
        _swap(iceberg, files, written, {MARK: str(mark.lsn), "manifold.commit": commit_id})

    if not _committed(table, mark.lsn, swap, commit_id):
        raise _changed(table)
    return len(small)


def _is_behind(mark: Mark, lsn: Lsn, table: Table[Any]) -> bool:
    if mark.foreign:
        raise Conflict(f"Others have written to the Iceberg table {table.name}.", code="iceberg-foreign")
    return mark.lsn < lsn


def _committed(table: Table[Any], lsn: Lsn, commit: Callable[[], None], commit_id: str | None = None) -> bool:
    """Whether this commit stands. One whose answer was lost is looked for in the table's snapshots."""
    try:
        with answering():
            commit()
    except (TransientError, CommitFailedException) as error:
        iceberg = existing(catalog(), table)
        current = iceberg.current_snapshot() if iceberg else None
        if iceberg is None or current is None or current.summary is None:
            raise _unknown(error) from error
        if commit_id is not None and current.summary.additional_properties.get("manifold.commit") == commit_id:
            return True
        if commit_id is None and not _is_behind(mark_of(iceberg), lsn, table):
            logger.info(
                "The catalog had committed, though the answer was lost.",
                extra={"lsn": lsn, "table": table.name},
            )
            return True
        if isinstance(error, CommitFailedException):
            raise _changed(table) from error
        raise _unknown(error) from error
    return True


def _unknown(error: Exception) -> TransientError:
    return error if isinstance(error, TransientError) else TransientError(str(error), code="catalog-unavailable")


def _changed(table: Table[Any]) -> Conflict:
    return Conflict(f"The Iceberg table {table.name} was changed meanwhile.", code="iceberg-changed")


def _files(iceberg: IcebergTable, rows: Columns) -> Iterable[DataFile]:
    # pyiceberg's public ways to replace files make two snapshots, which catalogs refuse in one commit.
    return data_files(table_metadata=iceberg.metadata, df=rows, io=iceberg.io) if rows.num_rows else ()


def _grouped(pieces: Iterable[Columns]) -> Iterable[Columns]:
    """The pieces, as many together as make a data file that is not small."""
    group: list[Columns] = []
    for rows in pieces:
        group.append(rows)
        if sum(one.nbytes for one in group) >= GROUP_BYTES:
            yield pa.concat_tables(group)
            group.clear()
    if group:
        yield pa.concat_tables(group)


def _swap(iceberg: IcebergTable, old: list[DataFile], new: list[DataFile], properties: dict[str, str]) -> None:
    with iceberg.transaction() as transaction:
        update = transaction.update_snapshot(snapshot_properties=properties)
        with update.overwrite() if old else update.merge_append() as snapshot:
            for file in old:
                snapshot.delete_data_file(file)
            for file in new:
                snapshot.append_data_file(file)
