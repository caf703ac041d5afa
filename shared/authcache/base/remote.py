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
from shared.authcache.base.manifest import CorruptBase, Segment
from shared.authcache.settings import settings
from shared.authcache.tables import TABLES
from shared.platform.stores.blobs import read_range

_NEAR = 128
"""Places of an index that are read at once: a kilobyte."""


class RemoteFiles:
    """The files of a segment in the container."""

    damage = None

    def __init__(self, segment: Segment) -> None:
        """Raises CorruptBase when the manifest names no index for a table that has rows."""
        self._segment = segment
        self._sizes = {file.name: file.size for file in segment.files}
        for name in (name for name, part in segment.tables.items() if part.rows):
            for index in indexes(TABLES[name]):
                if index_file(name, index) not in self._sizes:
                    raise CorruptBase(f"{segment.name} has no index {index} of {name}.", retry_after=2)

    def damaged(self, found: str) -> CorruptBase:
        """As Files says."""
        return CorruptBase(found, retry_after=2)

    async def texts(self, table: str, index: str, hashed: int) -> list[bytes]:
        """As Files says."""
        name = index_file(table, index)
        homes = homes_of(self._segment.tables[table].entries(index))
        home, count = hashed * homes >> 32, self._sizes[name] // ENTRY_BYTES
        entries = await self._entries(name, home, min(count, home + _NEAR))
        try:
            slots = slots_of(entries, homes, hashed, home)
        except IndexError:  # many rows have one key, and more follow
            slots = await self._all_slots(name, homes, hashed)
        return list(await asyncio.gather(*(self._text(slots_file(table), slot * SLOT_BYTES) for slot in slots)))

    async def _all_slots(self, name: str, homes: int, hashed: int) -> Sequence[int]:
        home = hashed * homes >> 32
        try:
            entries = await self._entries(name, home, self._sizes[name] // ENTRY_BYTES)
            return slots_of(entries, homes, hashed, home)
        except IndexError as error:
            raise CorruptBase(f"The index {name} of {self._segment.name} has no end.", retry_after=2) from error

    async def _text(self, name: str, start: int) -> bytes:
        left = self._sizes.get(name, 0) - start
        if left <= 0:
            raise CorruptBase(f"An index of {self._segment.name} names a row that is not there.", retry_after=2)
        data = await self._range(name, start, min(GUESSED_BYTES, left))
        if (end := end_of(data)) > len(data):
            data = await self._range(name, start, end)
        return data[LENGTH_BYTES:end]

    async def _entries(self, name: str, low: int, high: int) -> Sequence[int]:
        data = await self._range(name, low * ENTRY_BYTES, (high - low) * ENTRY_BYTES)
        return struct.unpack(f"<{high - low}Q", data)

    async def _range(self, name: str, start: int, length: int) -> bytes:
        data = await read_range(settings().authcache_container, f"{self._segment.name}/{name}", start, length)
        if data is None or len(data) != length:
            raise CorruptBase(f"The blob {self._segment.name}/{name} is not there, or too short.", retry_after=2)
        return data
