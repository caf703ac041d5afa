"""Records of a file that has one JSON object a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic_core import from_json

from shared.papers.reading.marks import TOO_LONG, Line, Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator


async def records(lines: AsyncIterable[Line]) -> AsyncIterator[Record | None]:
    """A record for each line; None for a blank one, which only counts."""
    async for line in lines:
        yield read(line)


def read(line: Line) -> Record | None:
    """The record of a line; None for a blank one."""
    data = line.data
    if data is None:
        return Record.refused(line.after, TOO_LONG)
    data = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not data:
        return None
    try:
        value = from_json(data)
    except ValueError as error:
        return Record.refused(line.after, f"this is no JSON in UTF-8: {error}", data)
    if not isinstance(value, dict):
        return Record.refused(line.after, "this is JSON, and no object", data)
    return Record(cast("dict[str, Any]", value), line.after)
