"""Records of a CSV file. A quoted field may hold line ends, so the file can be cut only where a record ends."""

from __future__ import annotations

import asyncio
import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.papers.reading.marks import LONGEST_RECORD, TOO_LONG, Line, Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence

BATCH_BYTES = 1 << 20
"""That are read at a time, in a thread: about so many."""
_STRAY = 8
"""Quotation marks that no other closes of which each costs its own line alone, in what is read at a time."""
_DELIMITERS = ",;\t|"
_PROBLEMS = {
    "expected after": "text stands behind a closing quotation mark, or one before it is not closed",
    "new-line character": "a field without quotation marks holds a line end",
    "field larger": f"a field has more than {LONGEST_RECORD:,} characters",
}
"""What the csv module says, and what it means for whoever wrote the file."""
_NO_TEXT = "\udcff\n"
"""Stands for a line that is too long: as a half of a surrogate pair it is refused as bytes outside UTF-8 are."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first record of a file: the names of its columns and what divides them."""

    names: tuple[str, ...]
    delimiter: str

    @classmethod
    def read(cls, text: str) -> Header:
        """The header in its text. The delimiter is that of `,;|` and tab which divides it into most names."""
        delimiter = max(_DELIMITERS, key=lambda sign: len(_first_row(text, sign)))
        return cls(tuple(name.strip() for name in _first_row(text, delimiter)), delimiter)


def _first_row(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), list[str]())


async def records(lines: AsyncIterable[Line], header: Header) -> AsyncIterator[Record | None]:
    """The records behind the header; None for a blank line."""
    held: list[Line] = []
    size, enough = 0, BATCH_BYTES
    async for line in lines:
        held.append(line)
        size += len(line.data or b"")
        if size < enough:
            continue
        used = 0
        for record, count in await asyncio.to_thread(_whole, held, header, ended=False):
            used += count
            yield record
        held = held[used:]
        size = sum(len(kept.data or b"") for kept in held)
        # Twice what a record did not end in: looked into for each line, a quotation mark that is not closed would have
        # all that is held read again each time.
        enough = max(BATCH_BYTES, 2 * size)
    for record, _ in await asyncio.to_thread(_whole, held, header, ended=True):
        yield record


def _whole(lines: Sequence[Line], header: Header, *, ended: bool) -> list[tuple[Record | None, int]]:
    """The whole records that the lines begin with, each with the number of its lines."""
    whole: list[tuple[Record | None, int]] = []
    texts = [_text(line) for line in lines]
    left = sum(len(line.data or b"") for line in lines)
    start, wasted = 0, 0
    while start < len(lines):
        row = _row(texts, start, header.delimiter)
        if not row.whole and not ended and left <= LONGEST_RECORD:
            break
        count = row.lines
        taken = lines[start : start + count]
        if not (reason := row.problem or _problem(row.values, header, taken)):
            values = dict(zip(header.names, row.values, strict=True))
            whole.append((Record(values, taken[-1].after, lines=count), count))
        elif not row.problem and not row.values:
            whole.append((None, count))
        else:
            # A stray quotation mark takes in the lines behind it: only its own line is given up. Where many have one,
            # more lines are with each, since all that is held was read for it.
            wasted += count - 1
            count = min(2 ** max(wasted // len(lines) - _STRAY, 0), len(lines) - start)
            whole += [
                (Record.refused(line.after, reason, line.data or b""), 1) for line in lines[start : start + count]
            ]
        left -= sum(len(line.data or b"") for line in lines[start : start + count])
        start += count
    return whole


@dataclass(frozen=True, slots=True)
class _Row:
    """A record's values, or what is wrong with it.

    Attributes:
        lines: that were read for it.
        whole: whether its end is among the lines.
    """

    values: list[str]
    lines: int
    problem: str = ""
    whole: bool = True


def _row(texts: Sequence[str], start: int, delimiter: str) -> _Row:
    """The record at a line. Strict, since else a quotation mark that is not closed ends in a later record's."""
    position, ran_out = start, False

    def feed() -> Iterator[str]:
        nonlocal position, ran_out
        while position < len(texts):
            position += 1
            yield texts[position - 1]
        ran_out = True

    csv.field_size_limit(LONGEST_RECORD)
    try:
        values = next(csv.reader(feed(), delimiter=delimiter, strict=True), list[str]())
    except csv.Error as error:
        if ran_out:
            return _Row([], position - start, "a quotation mark is not closed", whole=False)
        problem = next((reason for message, reason in _PROBLEMS.items() if message in str(error)), str(error))
        return _Row([], position - start, problem)
    return _Row(values, position - start)


def _text(line: Line) -> str:
    return _NO_TEXT if line.data is None else line.data.decode(errors="surrogateescape")


def _has_foreign_bytes(row: Sequence[str]) -> bool:
    return any("\udc80" <= character <= "\udcff" for value in row if not value.isascii() for character in value)


def _problem(values: Sequence[str], header: Header, lines: Sequence[Line]) -> str:
    """Why these values, of these lines, are no record; empty: they are one."""
    if _has_foreign_bytes(values):
        return f"it is not UTF-8, or has a line of more than {LONGEST_RECORD:,} bytes"
    if len(values) != len(header.names):
        return f"it has {len(values)} columns where the header has {len(header.names)}"
    if len(lines) > 1 and sum(len(line.data or b"") for line in lines) > LONGEST_RECORD:
        return TOO_LONG
    return ""
