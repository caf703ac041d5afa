"""Makes the segments of the next base: one of what changed, or, once that has grown, one of everything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.authcache.base.fetching import fetch_file
from shared.authcache.base.format.arrow import DROPPED, LSN, schema_of, table_of, without
from shared.authcache.base.format.indexing import Hashes, hashes_by_row, slots_in_order
from shared.authcache.base.format.names import ID, index_file, indexes, parquet_file
from shared.authcache.base.format.pyarrow import Columns, Values, compute, pa, parquet
from shared.authcache.base.manifest import Segment, TablePart
from shared.authcache.base.reading import file_of
from shared.authcache.base.writing import TableWriter, current_rows, dropped_rows, segment_of
from shared.authcache.folding.changes import Changes
from shared.authcache.log.groups import Lsn
from shared.authcache.tables import TABLES, Table

BATCH_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Built:
    """A segment whose files stand in a folder, to be put into the container."""

    segment: Segment
    folder: Path


async def parquet_of(segment: Segment, table: Table[Any], folder: Path) -> Path | None:
    """A copy of the table's Parquet file; None where the segment holds nothing of it. Raises as `fetch`."""
    return await copy_of(segment, parquet_file(table.name), folder) if table.name in _held(segment) else None


async def copy_of(segment: Segment, name: str, folder: Path) -> Path:
    """A copy of a file of a segment, fetched unless it is there. Raises as `fetch`."""
    into = folder / segment.name.replace("/", "-")
    await asyncio.to_thread(into.mkdir, exist_ok=True)
    if not await asyncio.to_thread((into / name).exists):
        await fetch_file(segment, file_of(segment, name), into)
    return into / name


async def changed_rows(segment: Segment | None, table: Table[Any], folder: Path) -> Columns:
    """All rows of a table in the segment of what changed, those that are no more among them."""
    path = await parquet_of(segment, table, folder) if segment else None
    return schema_of(table).empty_table() if path is None else await asyncio.to_thread(parquet.read_table, path)


def with_changes(earlier: Columns, table: Table[Any], changes: Changes) -> Columns:
    """What had changed before, and over it what the log says."""
    rows = changes.rows[table.name]
    newer = table_of(table, ((row_id, row, lsn) for row_id, (row, lsn) in rows.items()))
    return pa.concat_tables([without(earlier, newer.column("id").combine_chunks()), newer])


def build_changed(folder: Path, after: Lsn, lsn: Lsn, rows: Mapping[str, Columns], hash_key: str) -> Built:
    """The segment of what changed in (`after`, `lsn`]."""
    folder.mkdir()
    parts: dict[str, TablePart] = {}
    for name, table in TABLES.items():
        if not rows[name].num_rows:
            continue
        writer = TableWriter(folder, table, hash_key)
        writer.add(current_rows(rows[name]))
        writer.drop(dropped_rows(rows[name]))
        parts[name] = writer.finish()
    return Built(segment_of(folder, after, lsn, parts), folder)


@dataclass(frozen=True, slots=True)
class Merging:
    """How a segment of everything is made of an earlier one.

    Attributes:
        lsn: what it is as of.
        drops_after: what was dropped after it is still told, since Iceberg may not know it.
    """

    base: Segment
    lsn: Lsn
    hash_key: str
    drops_after: Lsn


async def build_everything(folder: Path, merging: Merging, changed: Mapping[str, Columns]) -> Built:
    """The segment of everything: the earlier one without what changed, then what changed."""
    await asyncio.to_thread((folder / "new").mkdir)
    base = merging.base
    parts: dict[str, TablePart] = {}
    for name, table in TABLES.items():
        writer = await asyncio.to_thread(TableWriter, folder / "new", table, merging.hash_key)
        dropped = [dropped_rows(changed[name])]
        ids = changed[name].column("id").combine_chunks()
        if name in _held(base):
            path = await copy_of(base, parquet_file(name), folder)
            hashes = await _hashes(base, table, folder)
            dropped.append(await asyncio.to_thread(_copy, writer, path, ids, hashes))
        await asyncio.to_thread(writer.add, current_rows(changed[name]))
        drops = pa.concat_tables(dropped)
        writer.drop(drops.filter(compute.greater(drops.column(LSN), merging.drops_after)))
        parts[name] = await asyncio.to_thread(writer.finish)
    return Built(await asyncio.to_thread(segment_of, folder / "new", 0, merging.lsn, parts), folder / "new")


def batches(path: Path, columns: list[str] | None = None) -> Iterable[Columns]:
    """The rows of a Parquet file, in pieces."""
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
            yield pa.Table.from_batches([batch])


def _held(segment: Segment) -> set[str]:
    return {name for name, part in segment.tables.items() if part.rows}


async def _hashes(segment: Segment, table: Table[Any], folder: Path) -> dict[str, Hashes]:
    """The hashes of the keys of all rows, taken from the index files: to make them anew would take far longer."""
    names = {file.name for file in segment.files}

    async def entries_of(index: str) -> NDArray[np.uint64]:
        name = index_file(table.name, index)
        path = await copy_of(segment, name, folder) if name in names else None
        return await asyncio.to_thread(np.fromfile, path, "<u8") if path else np.empty(0, np.uint64)

    slots = slots_in_order(await entries_of(ID))
    hashes: dict[str, Hashes] = {}
    for index in indexes(table):
        hashes[index] = await asyncio.to_thread(hashes_by_row, await entries_of(index), slots)
    return hashes


def _copy(writer: TableWriter, path: Path, changed: Values, hashes: Mapping[str, Hashes]) -> Columns:
    """Add the rows that did not change; those that are no more are given back."""
    dropped: list[Columns] = []
    now = datetime.now(UTC)
    first = 0
    for rows in batches(path):
        last = first + rows.num_rows
        stays = compute.invert(compute.is_in(rows.column("id"), value_set=changed))
        kept = compute.and_(stays, compute.invert(rows.column(DROPPED)))
        if writer.table.expires:
            kept = compute.and_(kept, compute.greater(rows.column(writer.table.expires), pa.scalar(now)))
        places = kept.to_numpy()
        writer.add(rows.filter(kept), {index: parts[first:last][places] for index, parts in hashes.items()})
        dropped.append(dropped_rows(rows.filter(stays)))
        first = last
    return pa.concat_tables(dropped) if dropped else schema_of(writer.table).empty_table()
