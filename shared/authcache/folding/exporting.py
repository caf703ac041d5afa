"""What a fold hands on: each Iceberg table's append, and the two published files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from shared.authcache.base.format.arrow import DROPPED, LSN, schema_of, without
from shared.authcache.base.format.pyarrow import Columns, compute, pa
from shared.authcache.base.manifest import Manifest, read_manifest
from shared.authcache.base.writing import current_rows
from shared.authcache.folding.segments import batches, changed_rows, parquet_of
from shared.authcache.folding.steps import TableState, TableTask
from shared.authcache.iceberg.catalog import ready
from shared.authcache.iceberg.expiry import expire
from shared.authcache.iceberg.writing import append, files_of, look, merge_small_files, replace
from shared.authcache.log.groups import Lsn
from shared.authcache.tables import TABLES, Table
from shared.platform.errors import Conflict, TransientError
from shared.platform.files import scratch_folder


async def base_manifest() -> Manifest:
    """The manifest, which a fold has left. Raises TransientError when it is missing all the same."""
    current = await read_manifest()
    if current is None:
        raise TransientError("The base is being made anew.", code="cache-corrupt", retry_after=10)
    return current[0]


async def append_table(task: TableTask) -> TableState:
    """Append to the Iceberg table what changed since its mark. Others' snapshots are counted and left alone.

    Raises:
        TransientError: the catalog does not answer.
    """
    table = TABLES[task.table]
    manifest = await base_manifest()
    mark = await asyncio.to_thread(look, table)
    if mark.foreign:
        return TableState(table=task.table, lsn=mark.lsn, foreign=len(mark.foreign))
    rows = 0

    def counted(pieces: Iterable[Columns]) -> Iterator[Columns]:
        nonlocal rows
        for piece in pieces:
            rows += piece.num_rows
            yield piece

    try:
        async with scratch_folder("manifold-append-") as folder:
            pieces = await pieces_after(manifest, table, mark.lsn, folder)
            if (first := await asyncio.to_thread(next, pieces, None)) is not None:
                await ready()
                await asyncio.to_thread(append, table, counted(chain([first], pieces)), manifest.lsn)
        if rows:
            await asyncio.to_thread(merge_small_files, table)
    except Conflict:
        mark = await asyncio.to_thread(look, table)
        if not mark.foreign:
            raise TransientError("Another append was under way.", code="iceberg-changed") from None
        return TableState(table=task.table, lsn=mark.lsn, foreign=len(mark.foreign))
    files = await asyncio.to_thread(files_of, table)
    return TableState(table=task.table, lsn=manifest.lsn, rows=rows, files=files)


async def look_at_table(task: TableTask) -> TableState:
    """How far the Iceberg table is. Raises TransientError."""
    mark = await asyncio.to_thread(look, TABLES[task.table])
    snapshot = str(mark.snapshot) if mark.snapshot is not None else None
    return TableState(table=task.table, lsn=mark.lsn, foreign=len(mark.foreign), snapshot=snapshot)


async def replace_table(task: TableTask) -> TableState:
    """Rewrite the Iceberg table to what the base holds, unless others have written since that was taken from it.

    Raises:
        Conflict: they have.
        TransientError: the blobs or the catalog do not answer.
    """
    table = TABLES[task.table]
    manifest = await base_manifest()
    seen = int(task.snapshot) if task.snapshot else None
    async with scratch_folder("manifold-replace-") as folder:
        names = [name for name in schema_of(table).names if name != DROPPED]
        rows = await all_rows(manifest, table, folder, names)
        await ready()
        await asyncio.to_thread(replace, table, rows, manifest.lsn, seen)
    return TableState(table=task.table, lsn=manifest.lsn)


async def tidy_table(task: TableTask) -> TableState:
    """Rewrite the Iceberg table without what is outdated, and forget its old snapshots.

    Raises:
        Conflict: others have written to it.
        TransientError: the blobs or the catalog do not answer.
    """
    state = await look_at_table(task)
    if state.foreign or state.snapshot is None or state.lsn > task.lsn:
        return state
    await replace_table(task.model_copy(update={"snapshot": state.snapshot}))
    await asyncio.to_thread(expire, TABLES[task.table])
    return await look_at_table(task)


async def rows_after(manifest: Manifest, table: Table[Any], lsn: Lsn, folder: Path) -> Columns:
    """All of `pieces_after` at once. Raises as it does."""
    pieces = await pieces_after(manifest, table, lsn, folder)
    return await asyncio.to_thread(lambda: pa.concat_tables([schema_of(table).empty_table(), *pieces]))


async def pieces_after(manifest: Manifest, table: Table[Any], lsn: Lsn, folder: Path) -> Iterator[Columns]:
    """The base's rows of a table that changed after `lsn`, those that are no more among them; in pieces, none empty.

    They are read from the folder as they are taken. Raises as `fetch`.
    """
    changed = await changed_rows(manifest.changed, table, folder)
    merged = lsn < manifest.everything.lsn  # before the table got them
    path = await parquet_of(manifest.everything, table, folder) if merged else None

    def pieces() -> Iterator[Columns]:
        ids = changed.column("id").combine_chunks()
        yield _newer(changed, lsn)
        for rows in batches(path) if path else ():
            yield without(_newer(rows, lsn), ids)

    return (piece for piece in pieces() if piece.num_rows)


def _newer(rows: Columns, lsn: Lsn) -> Columns:
    return rows.filter(compute.greater(rows.column(LSN), lsn))


async def all_rows(manifest: Manifest, table: Table[Any], folder: Path, names: list[str]) -> Iterable[Columns]:
    """All rows of a table as of the manifest, in pieces; the columns that are named, and the id."""
    path = await parquet_of(manifest.everything, table, folder)
    changed = await changed_rows(manifest.changed, table, folder)
    columns = list(dict.fromkeys(["id", *names]))
    return _pieces(path, changed, columns, table)


def _pieces(path: Path | None, changed: Columns, columns: list[str], table: Table[Any]) -> Iterable[Columns]:
    ids = changed.column("id").combine_chunks()
    for rows in batches(path, [*columns, DROPPED]) if path else ():
        yield without(current_rows(rows), ids).select(columns)
    yield current_rows(changed).select(columns) if changed.num_rows else schema_of(table).empty_table().select(columns)
