"""Rows of a Parquet file, read by row group through ranges of its blob."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from shared.papers.reading.marks import Mark, Record
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator

_ROWS = 500
_REFUSALS = (ValueError, OSError, NotImplementedError)
"""What pyarrow raises for a file that is damaged, or of a kind that it cannot read."""
_NO_VALUES = (ValueError, OverflowError)
"""What it raises for a value that Python cannot hold: bytes that are no UTF-8, a date after the year 9999."""
LARGEST_GROUP = 2_000_000_000
"""Bytes of a row group, unpacked: what its columns take while they are read."""


class Ranges(Protocol):
    """Gives bytes of a file."""

    async def read(self, offset: int, length: int) -> bytes:
        """So many bytes from `offset` on; fewer at the end of the file."""
        ...


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
        length = min(len(buffer), self._size - self._position)
        if length <= 0:
            return 0
        reading = self._ranges.read(self._position, length)
        data = asyncio.run_coroutine_threadsafe(reading, self._loop).result()
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out: the bytes of each row group, unpacked, and the names of its columns."""

    groups: list[int]
    columns: list[str]


async def layout(file: io.BufferedReader) -> Layout:
    """How the file is laid out.

    Raises:
        InvalidInput: it is no Parquet file, or has a row group that is too large.
    """

    def look() -> Layout:
        opened = _open(file)
        sizes = [opened.metadata.row_group(number).total_byte_size for number in range(opened.metadata.num_row_groups)]
        if sizes and max(sizes) > LARGEST_GROUP:
            raise InvalidInput(
                f"A row group has {max(sizes):,} bytes; at most {LARGEST_GROUP:,} are read.",
                field="blob",
                code="row-group-too-large",
                remedy="Write the file with smaller row groups.",
            )
        return Layout(sizes, list(opened.schema_arrow.names))

    return await asyncio.to_thread(look)


async def records(
    file: io.BufferedReader, groups: range, start: int, columns: Collection[str]
) -> AsyncIterator[Record]:
    """The rows of some row groups from row `start` of them on, with these of their columns as far as they are there.

    Raises:
        InvalidInput: the file is damaged.
    """
    row, batches = await asyncio.to_thread(_batches, file, groups, start, columns)
    while (batch := await asyncio.to_thread(_next, batches)) is not None:
        skipped = min(max(start - row, 0), batch.num_rows)
        row += skipped
        for record in await asyncio.to_thread(_rows, batch.slice(skipped), row):
            row += 1
            yield record


def _rows(batch: Any, before: int) -> list[Record]:
    """The rows of a batch, of which so many stand before it. One that Python cannot hold fails alone."""
    try:
        return [Record(value, Mark(0, row)) for row, value in enumerate(batch.to_pylist(), before + 1)]
    except _NO_VALUES:
        return [_row(batch.slice(index, 1), before + index + 1) for index in range(batch.num_rows)]


def _row(row: Any, number: int) -> Record:
    values: dict[str, Any] = {}
    reasons: list[str] = []
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            [values[name]] = column.to_pylist()
        except _NO_VALUES as error:
            reasons.append(f"its {name} cannot be read: {str(error)[:100]}")
    if not reasons:
        return Record(values, Mark(0, number))
    return Record.refused(Mark(0, number), "; ".join(reasons), json.dumps(values, ensure_ascii=False, default=str))


def _open(file: io.BufferedReader) -> Any:
    from pyarrow import parquet  # noqa: PLC0415 - loads in the activity that needs it

    try:
        return parquet.ParquetFile(file, pre_buffer=False)
    except _REFUSALS as error:
        raise _damaged(error) from None


def _batches(file: io.BufferedReader, groups: range, start: int, columns: Collection[str]) -> tuple[int, Iterator[Any]]:
    """The rows from the row group on in which the start is, and how many stand before it."""
    opened = _open(file)
    before = 0
    for group in groups:
        held = opened.metadata.row_group(group).num_rows
        if before + held > start:
            read = [name for name in opened.schema_arrow.names if name in columns]
            left = list(range(group, groups.stop))
            batches = opened.iter_batches(batch_size=_ROWS, row_groups=left, columns=read, use_threads=False)
            return before, map(_in_microseconds, batches)
        before += held
    return before, iter(())


def _in_microseconds(batch: Any) -> Any:
    """The batch with the instants that Python can hold: others write them by the nanosecond, and mean the second."""
    import pyarrow as pa  # noqa: PLC0415 - loads in the activity that needs it

    arrow: Any = pa
    for index, field in enumerate(batch.schema):
        if str(field.type).startswith("timestamp[ns"):
            microseconds = batch.column(index).cast(arrow.timestamp("us", field.type.tz), safe=False)
            batch = batch.set_column(index, field.name, microseconds)
    return batch


def _next(batches: Iterator[Any]) -> Any:
    try:
        return next(batches, None)
    except _REFUSALS as error:
        raise _damaged(error) from None


def _damaged(error: Exception) -> InvalidInput:
    return InvalidInput(
        f"This is no whole Parquet file: {str(error)[:200]}.",
        field="blob",
        code="file-damaged",
        remedy="Upload it again, whole.",
    )
