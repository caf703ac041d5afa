"""Segments on this machine's disk: index files mapped into memory, rows read where they stand.

Rows are not mapped: what is mapped and was read counts as the process's memory, and there are gigabytes of them.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shared.authcache.base.format.hashing import ENTRY_BYTES, guessed_rows
from shared.authcache.base.format.names import READ_BY_REQUESTS, ends_file, rows_file
from shared.authcache.base.manifest import Segment
from shared.authcache.base.reading import CorruptBase


class LocalFiles:
    """The files of a segment in a folder."""

    def __init__(self, folder: Path, segment: Segment) -> None:
        """Open them all. Raises CorruptBase when one is not there or has another size."""
        self._indexes: dict[str, memoryview[int]] = {}
        self._rows: dict[str, tuple[int, memoryview[int]]] = {}
        try:
            for file in (one for one in segment.files if one.name.endswith(READ_BY_REQUESTS)):
                if file.size != (folder / file.name).stat().st_size:
                    raise CorruptBase(f"The file {file.name} of {segment.name} has another size.")
                if file.name.endswith(".idx"):
                    self._indexes[file.name] = _mapped(folder / file.name, file.size)
            for name, part in segment.tables.items():
                if part.rows:
                    ends = _mapped(folder / ends_file(name), part.rows * ENTRY_BYTES)
                    self._rows[name] = (os.open(folder / rows_file(name), os.O_RDONLY), ends)
        except OSError as error:
            self.close()
            raise CorruptBase(f"A file of {segment.name} cannot be opened: {error.strerror}.") from error

    async def rows_of(self, index: str, hashed: int) -> Sequence[int]:
        """As Files says."""
        entries = self._indexes.get(index)  # an empty index has no file
        return guessed_rows(entries, hashed) if entries is not None else ()

    async def row(self, table: str, number: int) -> bytes:
        """As Files says. Raises CorruptBase when the file ends before the row."""
        file, ends = self._rows[table]
        if not 0 <= number < len(ends):
            raise CorruptBase(f"An index of {table} names a row that is not there.")
        start = ends[number - 1] if number else 0
        return os.pread(file, ends[number] - start, start)

    def close(self) -> None:
        """Close the files. Nothing may be looked up afterwards."""
        for file, _ in self._rows.values():
            with suppress(OSError):
                os.close(file)
        self._rows.clear()
        self._indexes.clear()

    def __del__(self) -> None:
        self.close()


def _mapped(path: Path, size: int) -> memoryview[int]:
    """The file as 64-bit numbers."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)).cast("Q")
