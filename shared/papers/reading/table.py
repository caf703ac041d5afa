"""Records of a CSV file. A quoted field may hold line ends, so the file can be cut only where a record ends."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.papers.reading.marks import LONGEST_RECORD, Line, Mark, Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence

_BATCH = 1 << 20
_SHOWN = 500
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
        delimiter = max(_DELIMITERS, key=lambda one: len(_first_row(text, one)))
        return cls(tuple(name.strip() for name in _first_row(text, delimiter)), delimiter)


def _first_row(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), list[str]())


async def records(lines: AsyncIterable[Line], header: Header, *, batch: int = _BATCH) -> AsyncIterator[Record | None]:
    """The records behind the header; None for a blank line. About `batch` bytes are read at a time."""
    held: list[Line] = []
    size = 0
    async for line in lines:
        held.append(line)
        size += len(line.data or b"")
        if size < batch:
            continue
        used = 0
        for record, count in _whole(held, header, ended=False):
            used += count
            yield record
        held = held[used:]
        size = sum(len(one.data or b"") for one in held)
        if size > LONGEST_RECORD:
            yield _refused(held[:1], "a quotation mark is not closed")
            held = held[1:]
    for record, _ in _whole(held, header, ended=True):
        yield record


def _whole(lines: Sequence[Line], header: Header, *, ended: bool) -> Iterator[tuple[Record | None, int]]:
    """The whole records that the lines begin with, each with the number of its lines."""
    texts = [_text(line) for line in lines]
    start = 0
    while start < len(lines):
        row = _row(texts, start, header.delimiter)
        if not row.whole and not ended:
            return
        taken = lines[start : start + row.lines]
        if not (reason := row.problem or _problem(row.values, header)):
            yield Record(dict(zip(header.names, row.values, strict=True)), taken[-1].after, lines=row.lines), row.lines
            start += row.lines
        elif not row.problem and not row.values:
            yield None, row.lines
            start += row.lines
        else:
            # A stray quotation mark takes in the lines behind it: only its own line is given up.
            yield _refused(taken[:1], reason), 1
            start += 1


@dataclass(frozen=True, slots=True)
class _Row:
    """A record's values and how many lines it takes, or what is wrong with it.

    Attributes:
        whole: whether its end is among the lines.
    """

    values: list[str]
    lines: int = 1
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
            return _Row([], problem="a quotation mark is not closed", whole=False)
        return _Row([], problem=next((reason for said, reason in _PROBLEMS.items() if said in str(error)), str(error)))
    return _Row(values, position - start)


def _text(line: Line) -> str:
    return _NO_TEXT if line.data is None else line.data.decode(errors="surrogateescape")


def _has_foreign_bytes(row: Sequence[str]) -> bool:
    return any("\udc80" <= character <= "\udcff" for value in row if not value.isascii() for character in value)


def _problem(values: Sequence[str], header: Header) -> str:
    """Why these are no record; empty: they are one."""
    if _has_foreign_bytes(values):
        return f"it is not UTF-8, or has a line of more than {LONGEST_RECORD:,} bytes"
    if len(values) != len(header.names):
        return f"it has {len(values)} columns where the header has {len(header.names)}"
    return ""


def _refused(lines: Sequence[Line], reason: str) -> Record:
    after: Mark = lines[-1].after
    return Record(None, after, reason=reason, beginning=(lines[0].data or b"")[:_SHOWN].decode(errors="replace"))
