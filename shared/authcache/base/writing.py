"""Writes a segment's files into a folder, piece by piece, so that memory does not grow with the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from shared.authcache.base.format.arrow import DROPPED, keys_of, schema_of, texts_of
from shared.authcache.base.format.hashing import hashes_of
from shared.authcache.base.format.indexing import Hashes, entries_of, table_of
from shared.authcache.base.format.names import ID, index_file, indexes, parquet_file, slots_file
from shared.authcache.base.format.pyarrow import Columns, Values, compute, pa, parquet
from shared.authcache.base.format.slots import LENGTH_BYTES, SLOT_BYTES
from shared.authcache.base.format.sums import write_sums
from shared.authcache.base.manifest import File, Segment, TablePart
from shared.authcache.log.groups import Lsn
from shared.authcache.tables import Table

_CHUNK = 1 << 20
_PADDINGS: Values = pa.array([bytes(size) for size in range(SLOT_BYTES)], pa.binary())


class TableWriter:
    """The files of one table. First the rows that are there, then those that are no more."""

    def __init__(self, folder: Path, table: Table[Any], hash_key: str) -> None:
        self._folder, self.table = folder, table
        self._secret = bytes.fromhex(hash_key)
        self._hashes: dict[str, list[Hashes]] = {index: [] for index in indexes(table)}
        self._slots: list[NDArray[np.uint64]] = []
        self._file: IO[bytes] = (folder / slots_file(table.name)).open("wb")
        self._schema = schema_of(table)
        self._parquet = parquet.ParquetWriter(
            folder / parquet_file(table.name), self._schema, compression="zstd", compression_level=1
        )
        self._end = 0
        self.rows = 0
        self.dropped = 0

    def add(self, rows: Columns, hashes: Mapping[str, Hashes] | None = None) -> None:
        """Rows that are there, with the hashes of their keys where these are known."""
        if not rows.num_rows:
            return
        with ThreadPoolExecutor(2) as pool:  # hashing keeps the interpreter's lock, Arrow's functions do not
            compressed = pool.submit(self._parquet.write_table, rows.cast(self._schema))
            texts = pool.submit(texts_of, self.table, rows)
            for index in self._hashes:
                part = hashes[index] if hashes is not None else self._hash(index, rows)
                self._hashes[index].append(part)
            self._write_texts(texts.result())
            compressed.result()
        self.rows += rows.num_rows

    def drop(self, rows: Columns) -> None:
        """Rows that are no more; no rows that are there follow."""
        if not rows.num_rows:
            return
        self._parquet.write_table(rows.cast(self._schema))
        self._write_texts(rows.column("id"))
        self._hashes[ID].append(self._hash(ID, rows))
        self.rows += rows.num_rows
        self.dropped += rows.num_rows

    def finish(self) -> TablePart:
        """Write what is left: the indexes."""
        self._parquet.close()
        self._file.close()
        slots = np.concatenate(self._slots) if self._slots else np.empty(0, np.uint64)
        for index, parts in self._hashes.items():
            if not self.rows:
                continue
            hashes = np.concatenate(parts) if parts else np.empty(0, np.uint32)
            table = table_of(entries_of(hashes, slots[: len(hashes)]))
            table.astype("<u8").tofile(self._folder / index_file(self.table.name, index))
        return TablePart(rows=self.rows, dropped=self.dropped)

    def _hash(self, index: str, rows: Columns) -> Hashes:
        keys = rows.column("id") if index == ID else keys_of(self.table, index, rows)
        return np.frombuffer(hashes_of(keys.cast("binary").to_pylist(), self._secret), ">u4").astype(np.uint32)

    def _write_texts(self, texts: Values) -> None:
        for chunk in texts.chunks:
            lengths = compute.binary_length(chunk).to_numpy(zero_copy_only=False).astype("<u4")
            padding = -(lengths + LENGTH_BYTES) % SLOT_BYTES
            before = pa.Array.from_buffers(pa.binary(LENGTH_BYTES), len(lengths), [None, pa.py_buffer(lengths)])
            after = _PADDINGS.take(pa.array(padding))
            joined = compute.binary_join_element_wise(before.cast(pa.binary()), chunk.cast(pa.binary()), after, b"")
            sizes = (lengths + LENGTH_BYTES + padding).astype(np.uint64)
            ends = np.cumsum(sizes) + np.uint64(self._end)
            self._slots.append((ends - sizes) // np.uint64(SLOT_BYTES))
            _, offsets, data = joined.buffers()
            first = np.frombuffer(offsets, np.int32)[joined.offset]
            self._file.write(memoryview(data)[first : first + int(sizes.sum())])
            self._end = int(ends[-1])


def segment_of(folder: Path, after: Lsn, lsn: Lsn, tables: Mapping[str, TablePart]) -> Segment:
    """The segment whose files stand in the folder. Empty ones are deleted, since nothing can be mapped of them."""
    write_sums(folder)
    files: list[File] = []
    for path in sorted(folder.iterdir()):
        if not (size := path.stat().st_size):
            path.unlink()
            continue
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        files.append(File(name=path.name, size=size, sha256=digest.hexdigest()))
    name = f"base/{lsn:016d}-{uuid4().hex[:8]}"
    return Segment(name=name, after=after, lsn=lsn, tables=dict(tables), files=tuple(files))


def current_rows(rows: Columns) -> Columns:
    """The rows that are there."""
    return rows.filter(compute.invert(rows.column(DROPPED)))


def dropped_rows(rows: Columns) -> Columns:
    """The rows that are no more."""
    return rows.filter(rows.column(DROPPED))
