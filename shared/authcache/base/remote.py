"""Segments in Blob Storage, read where they stand: what an instance does until it has them on its disk.

A look-up reads two small ranges: where the index is expected to hold the key, and the row.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence

from shared.authcache.base.format.hashing import ENTRY_BYTES, homes_of, slots_of
from shared.authcache.base.format.names import index_file, indexes, slots_file
from shared.authcache.base.format.slots import GUESSED_BYTES, LENGTH_BYTES, SLOT_BYTES, end_of
from shared.authcache.base.format.sums import BLOCK, BLOCK_BYTES, SUM_BYTES, SUMS_FILE, first_sums, sum_of
from shared.authcache.base.manifest import CorruptBase, Segment
from shared.authcache.settings import settings
from shared.authcache.tables import TABLES
from shared.platform.stores.blobs import read_range

_NEAR = 3
"""Blocks of an index that are read at once: one and a half kilobytes."""
_MORE = 8
"""Times as many are read where these have no end."""


class RemoteFiles:
    """The files of a segment in the container."""

    damage = None

    def __init__(self, segment: Segment) -> None:
        """Raises CorruptBase when the manifest names no index for a table that has rows."""
        self._segment = segment
        self._sizes = {file.name: file.size for file in segment.files}
        self._first_sums = first_sums(self._sizes.items())
        if self._first_sums and SUMS_FILE not in self._sizes:
            raise CorruptBase(f"{segment.name} has no sums of its indexes.", retry_after=2)
        for name in (name for name, part in segment.tables.items() if part.rows):
            for index in indexes(TABLES[name]):
                if index_file(name, index) not in self._sizes:
                    raise CorruptBase(f"{segment.name} has no index {index} of {name}.", retry_after=2)

    def damaged(self, damage: str) -> CorruptBase:
        """As Files says."""
        return CorruptBase(damage, retry_after=2)

    async def texts(self, table: str, index: str, hashed: int) -> list[bytes]:
        """As Files says."""
        name = index_file(table, index)
        homes = homes_of(self._segment.tables[table].entries(index))
        slots = await self._slots(name, homes, hashed)
        return list(await asyncio.gather(*(self._text(slots_file(table), slot * SLOT_BYTES) for slot in slots)))

    def check(self, table: str, index: str, hashed: int) -> None:
        """As Files says: nothing is left to do, since `texts` has compared each block that it used."""

    async def _slots(self, name: str, homes: int, hashed: int) -> Sequence[int]:
        first = (hashed * homes >> 32) // BLOCK
        behind = -(-self._sizes[name] // BLOCK_BYTES)
        blocks = _NEAR
        while True:
            end = min(first + blocks, behind)
            entries = await self._entries(name, first, end)
            try:
                return slots_of(entries, homes, hashed, first * BLOCK)[0]
            except IndexError as error:  # many rows have one key, and more follow
                if end == behind:
                    raise CorruptBase(f"The index {name} of {self._segment.name} has no end.", retry_after=2) from error
                blocks *= _MORE

    async def _text(self, name: str, start: int) -> bytes:
        left = self._sizes.get(name, 0) - start
        if left <= 0:
            raise CorruptBase(f"An index of {self._segment.name} names a row that is not there.", retry_after=2)
        data = await self._range(name, start, min(GUESSED_BYTES, left))
        if (end := end_of(data)) > len(data):
            data = await self._range(name, start, end)
        return data[LENGTH_BYTES:end]

    async def _entries(self, name: str, first: int, end: int) -> Sequence[int]:
        """The entries of these blocks, each of which has its sum."""
        start = first * BLOCK_BYTES
        data, sums = await asyncio.gather(
            self._range(name, start, min(end * BLOCK_BYTES, self._sizes[name]) - start),
            self._range(SUMS_FILE, (self._first_sums[name] + first) * SUM_BYTES, (end - first) * SUM_BYTES),
        )
        for place, (expected,) in enumerate(struct.iter_unpack("<I", sums)):
            if sum_of(data[place * BLOCK_BYTES : (place + 1) * BLOCK_BYTES], first + place) != expected:
                raise CorruptBase(f"The index {name} of {self._segment.name} is damaged.", retry_after=2)
        return struct.unpack(f"<{len(data) // ENTRY_BYTES}Q", data)

    async def _range(self, name: str, start: int, length: int) -> bytes:
        data = await read_range(settings().authcache_container, f"{self._segment.name}/{name}", start, length)
        if data is None or len(data) != length:
            raise CorruptBase(f"The blob {self._segment.name}/{name} is not there, or too short.", retry_after=2)
        return data
