"""Segments in Blob Storage, read where they stand: what an instance does until it has them on its disk.

A look-up reads three small ranges: where the index is expected to hold the key, where the row ends, and the row.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from shared.authcache.base.format.hashing import ENTRY_BYTES, expected, rows_of
from shared.authcache.base.format.names import ends_file, rows_file
from shared.authcache.base.manifest import Segment
from shared.authcache.base.reading import CorruptBase
from shared.authcache.settings import settings
from shared.platform.stores.blobs import read_range


class RemoteFiles:
    """The files of a segment in the container."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._sizes = {file.name: file.size for file in segment.files}

    async def rows_of(self, index: str, hashed: int) -> Sequence[int]:
        """As Files says."""
        count = self._sizes.get(index, 0) // ENTRY_BYTES
        if not count:
            return ()
        low, high = expected(hashed, count)
        entries = await self._numbers(index, low, high)
        first = hashed << 32
        outside = (low and entries[0] >= first) or (high < count and entries[-1] >> 32 <= hashed)
        return rows_of(await self._numbers(index, 0, count) if outside else entries, hashed)

    async def row(self, table: str, number: int) -> bytes:
        """As Files says."""
        if not 0 <= number < self._segment.tables[table].rows:
            raise CorruptBase(f"An index of {table} names a row that is not there.")
        ends = await self._numbers(ends_file(table), max(0, number - 1), number + 1)
        start = ends[0] if number else 0
        return await self._range(rows_file(table), start, ends[-1] - start)

    async def _numbers(self, name: str, low: int, high: int) -> Sequence[int]:
        data = await self._range(name, low * ENTRY_BYTES, (high - low) * ENTRY_BYTES)
        return struct.unpack(f"<{high - low}Q", data)

    async def _range(self, name: str, start: int, length: int) -> bytes:
        data = await read_range(settings().authcache_container, f"{self._segment.name}/{name}", start, length)
        if data is None or len(data) != length:
            raise CorruptBase(f"The blob {self._segment.name}/{name} is not there, or too short.", retry_after=2)
        return data
