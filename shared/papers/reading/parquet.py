"""Rows of a Parquet file, read by row group through ranges of its blob."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any, Protocol

from shared.papers.reading.marks import Mark, Record
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_ROWS = 500
_REFUSALS = (ValueError, OSError, NotImplementedError)
"""What pyarrow raises for a file that is damaged, or of a kind that it cannot read."""
LARGEST_GROUP = 2_000_000_000
"""Bytes of a row group, unpacked: what its columns take while they are read."""


class Ranges(Protocol):
    """Gives bytes of a file."""

    async def read(self, offset: int, length: int) -> bytes: ...


def open_file(ranges: Ranges, size: int) -> io.BufferedReader:
    """A file for a library that reads from a thread, over ranges that are fetched on this event loop."""
    return io.BufferedReader(_RangeFile(ranges, size, asyncio.get_running_loop()), buffer_size=1 << 20)


class _RangeFile(io.RawIOBase):
    def __init__(self, ranges: Ranges, size: int, loop: asyncio.AbstractEventLoop) -> None:
        self._ranges, self._size, self._loop, self._position = ranges, size, loop, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = min(max(base + offset, 0), self._size)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        reading = self._ranges.read(self._position, wanted)
        data = asyncio.run_coroutine_threadsafe(reading, self._loop).result()
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


async def row_groups(file: io.BufferedReader) -> list[int]:
    """How many rows each row group has.

    Raises:
        InvalidInput: it is no Parquet file, or has a row group that is too large.
    """

    def look() -> list[int]:
        groups = _open(file).metadata
        sizes = [groups.row_group(number).total_byte_size for number in range(groups.num_row_groups)]
        if sizes and max(sizes) > LARGEST_GROUP:
            raise InvalidInput(
                f"A row group has {max(sizes):,} bytes; at most {LARGEST_GROUP:,} are read.",
                code="row-group-too-large",
                remedy="Write the file with smaller row groups.",
            )
        return [groups.row_group(number).num_rows for number in range(groups.num_row_groups)]

    return await asyncio.to_thread(look)


async def records(file: io.BufferedReader, group: int, start: int) -> AsyncIterator[Record | None]:
    """The rows of a row group from row `start` on.

    Raises:
        InvalidInput: the file is damaged.
    """
    batches = await asyncio.to_thread(_batches, file, group)
    row = 0
    while (batch := await asyncio.to_thread(_next, batches)) is not None:
        skipped = min(max(start - row, 0), batch.num_rows)
        row += skipped
        for value in await asyncio.to_thread(batch.slice(skipped).to_pylist):
            row += 1
            yield Record(value, Mark(0, row))


def _open(file: io.BufferedReader) -> Any:
    from pyarrow import parquet  # noqa: PLC0415 - loads in the activity that needs it

    try:
        return parquet.ParquetFile(file, pre_buffer=False)
    except _REFUSALS as error:
        raise _damaged(error) from None


def _batches(file: io.BufferedReader, group: int) -> Iterator[Any]:
    return _open(file).iter_batches(batch_size=_ROWS, row_groups=[group], use_threads=False)


def _next(batches: Iterator[Any]) -> Any:
    try:
        return next(batches, None)
    except _REFUSALS as error:
        raise _damaged(error) from None


def _damaged(error: Exception) -> InvalidInput:
    return InvalidInput(
        f"This is no whole Parquet file: {str(error)[:200]}.", code="file-damaged", remedy="Upload it again, whole."
    )
