"""Writes a segment's files into a folder, piece by piece, so that memory does not grow with the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from shared.authcache.base.format.arrow import DROPPED, keys_of, schema_of, texts_of
from shared.authcache.base.format.hashing import hashes_of
from shared.authcache.base.format.names import ID, ends_file, index_file, indexes, parquet_file, rows_file
from shared.authcache.base.format.pyarrow import Columns, Values, compute, parquet
from shared.authcache.base.manifest import File, Segment, TablePart
from shared.authcache.log.groups import Lsn
from shared.authcache.tables import Table

Hashes = NDArray[np.uint32]
_CHUNK = 1 << 20


class TableWriter:
    """The files of one table. First the rows that are there, then those that are no more."""

    def __init__(self, folder: Path, table: Table[Any], hash_key: str) -> None:
        self._folder, self.table = folder, table
        self._secret = bytes.fromhex(hash_key)
        self._hashes: dict[str, list[Hashes]] = {index: [] for index in indexes(table)}
        self._rows: IO[bytes] = (folder / rows_file(table.name)).open("wb")
        self._ends: IO[bytes] = (folder / ends_file(table.name)).open("wb")
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
        self._parquet.write_table(rows.cast(self._schema))
        self._write_texts(texts_of(self.table, rows))
        for index in self._hashes:
            known = hashes[index] if hashes is not None else self._hash(index, rows)
            self._hashes[index].append(known)
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
        self._rows.close()
        self._ends.close()
        for index, parts in self._hashes.items():
            hashes = np.concatenate(parts) if parts else np.empty(0, np.uint32)
            entries = (hashes.astype(np.uint64) << np.uint64(32)) | np.arange(len(hashes), dtype=np.uint64)
            entries.sort()
            entries.astype("<u8").tofile(self._folder / index_file(self.table.name, index))
        return TablePart(rows=self.rows, dropped=self.dropped)

    def _hash(self, index: str, rows: Columns) -> Hashes:
        keys = rows.column("id") if index == ID else keys_of(self.table, index, rows)
        return np.frombuffer(hashes_of(keys.cast("binary").to_pylist(), self._secret), ">u4").astype(np.uint32)

    def _write_texts(self, texts: Values) -> None:
        for chunk in texts.chunks:
            lengths = compute.binary_length(chunk).to_numpy(zero_copy_only=False).astype(np.uint64)
            ends = np.cumsum(lengths, dtype=np.uint64) + np.uint64(self._end)
            _, offsets, data = chunk.buffers()
            first = np.frombuffer(offsets, np.int32)[chunk.offset]
            size = int(lengths.sum())
            self._rows.write(memoryview(data)[first : first + size])
            self._ends.write(ends.astype("<u8").tobytes())
            self._end += size


def hashes_by_row(entries: NDArray[np.uint64], rows: int) -> Hashes:
    """The hash of each row's key, as an index file holds it; rows that the index does not hold have none (0)."""
    found = np.zeros(rows, np.uint32)
    found[(entries & np.uint64(0xFFFFFFFF)).astype(np.int64)] = (entries >> np.uint64(32)).astype(np.uint32)
    return found


def segment_of(folder: Path, after: Lsn, lsn: Lsn, tables: Mapping[str, TablePart]) -> Segment:
    """The segment whose files stand in the folder. Empty ones are deleted, since nothing can be mapped of them."""
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


def live(rows: Columns) -> Columns:
    """The rows that are there."""
    return rows.filter(compute.invert(rows.column(DROPPED)))


def gone(rows: Columns) -> Columns:
    """The rows that are no more."""
    return rows.filter(rows.column(DROPPED))
