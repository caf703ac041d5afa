"""Records of a file that has one JSON object a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic_core import from_json

from shared.papers.reading.marks import LONGEST_RECORD, Line, Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

_SHOWN = 500


async def records(lines: AsyncIterable[Line]) -> AsyncIterator[Record | None]:
    """A record for each line; None for a blank one, which only counts."""
    async for line in lines:
        yield read(line)


def read(line: Line) -> Record | None:
    """The record of a line; None for a blank one."""
    data = line.data
    if data is None:
        return Record(None, line.after, reason=f"it has more than {LONGEST_RECORD:,} bytes")
    data = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not data:
        return None
    try:
        value = from_json(data)
    except ValueError as error:
        return _refused(line, data, f"this is no JSON in UTF-8: {error}")
    if not isinstance(value, dict):
        return _refused(line, data, "this is JSON, and no object")
    return Record(cast("dict[str, Any]", value), line.after)


def _refused(line: Line, data: bytes, reason: str) -> Record:
    return Record(None, line.after, reason=reason[:300], beginning=data[:_SHOWN].decode(errors="replace"))
