"""Segments on this machine's disk: index files mapped into memory, rows read where they stand.

Rows are not mapped: what is mapped and was read counts as the process's memory, and there are gigabytes of them.
"""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from pathlib import Path
from struct import error as StructError  # noqa: N812 - a class, whatever it is called
from typing import Literal
from uuid import uuid4

from shared.authcache.base.format.hashing import homes_of, slots_of
from shared.authcache.base.format.names import READ_BY_REQUESTS, index_file, indexes, slots_file
from shared.authcache.base.format.slots import GUESSED_BYTES, LENGTH_BYTES, SLOT_BYTES, end_of
from shared.authcache.base.format.sums import BLOCK, SUMS_FILE, first_sums, sum_of
from shared.authcache.base.manifest import CorruptBase, DamagedCopy, Segment
from shared.authcache.tables import TABLES


class LocalFiles:
    """The files of a segment in a folder."""

    def __init__(self, folder: Path, segment: Segment) -> None:
        """Open them all. Raises CorruptBase when one is not there or has another size."""
        self._folder, self._segment = folder, segment
        self._damage: str | None = None
        self._indexes: dict[tuple[str, str], tuple[memoryview[int], int, memoryview[int]]] = {}
        self._slots: dict[str, int] = {}
        try:
            self._copy = folder.stat().st_ino
            for file in (one for one in segment.files if one.name.endswith(READ_BY_REQUESTS)):
                if file.size != (folder / file.name).stat().st_size:
                    raise CorruptBase(f"The file {file.name} of {segment.name} has another size.")
            first = first_sums((file.name, file.size) for file in segment.files)
            sums = _mapped(folder / SUMS_FILE, "I") if first else None
            for name, part in segment.tables.items():
                if part.rows and sums is not None:
                    self._slots[name] = os.open(folder / slots_file(name), os.O_RDONLY)
                    for index in indexes(TABLES[name]):
                        table = _mapped(folder / index_file(name, index), "Q")
                        own_sums = sums[first[index_file(name, index)] :]
                        self._indexes[name, index] = table, homes_of(part.entries(index)), own_sums
        except OSError as error:
            self.close()
            raise CorruptBase(f"A file of {segment.name} cannot be opened: {error.strerror}.") from error

    def texts(self, table: str, index: str, hashed: int) -> list[bytes]:
        """As Files says. Raises DamagedCopy when the file ends before a row, or cannot be read."""
        entries, homes, sums = self._indexes[table, index]
        try:
            slots, last = slots_of(entries, homes, hashed)
            if slots:
                return [_text(self._slots[table], slot * SLOT_BYTES) for slot in slots]
            _compare(entries, sums, hashed * homes >> 32, last)
        except (IndexError, StructError, OSError) as error:
            raise self.damaged(f"The index {index} of {table}, or a row that it names, is damaged.") from error
        return []

    def check(self, table: str, index: str, hashed: int) -> None:
        """As Files says. Raises DamagedCopy."""
        entries, homes, sums = self._indexes[table, index]
        try:
            _, last = slots_of(entries, homes, hashed)
            _compare(entries, sums, hashed * homes >> 32, last)
        except IndexError as error:
            raise self.damaged(f"The index {index} of {table} is damaged.") from error

    @property
    def damage(self) -> DamagedCopy | None:
        """What a look-up has found; None: nothing."""
        return DamagedCopy(self._damage, self._segment.name, self._copy) if self._damage is not None else None

    def damaged(self, damage: str) -> DamagedCopy:
        """As Files says. The folder is set aside, unless another process has fetched it again already."""
        if self._damage is None:
            self._damage = damage
            with suppress(OSError):
                if self._folder.stat().st_ino == self._copy:
                    set_aside(self._folder)
        return DamagedCopy(damage, self._segment.name, self._copy)

    def close(self) -> None:
        """Close the files. Nothing may be looked up afterwards."""
        for file in self._slots.values():
            with suppress(OSError):
                os.close(file)
        self._slots.clear()
        self._indexes.clear()

    def __del__(self) -> None:
        self.close()


def _compare(entries: memoryview[int], sums: memoryview[int], first: int, last: int) -> None:
    """See that the blocks from the first place to the last are what was written. Raises IndexError."""
    for number in range(first // BLOCK, last // BLOCK + 1):
        if sum_of(entries[number * BLOCK : (number + 1) * BLOCK], number) != sums[number]:
            raise IndexError(number)


def set_aside(folder: Path) -> None:
    """Nobody finds the folder any more; what is open of it stays readable. `clear` deletes it."""
    with suppress(OSError):
        folder.rename(folder.with_name(f"{folder.name}.{uuid4().hex[:8]}.damaged"))


def _text(file: int, start: int) -> bytes:
    data = os.pread(file, GUESSED_BYTES, start)
    end = end_of(data)
    if end > len(data):
        data = os.pread(file, end, start)
        if end > len(data):
            raise IndexError
    return data[LENGTH_BYTES:end]


def _mapped(path: Path, numbers: Literal["I", "Q"]) -> memoryview[int]:
    """The file as numbers, of 32 (I) or 64 bits (Q)."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)).cast(numbers)
