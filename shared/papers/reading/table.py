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
        row, used, whole = _row(texts, start, header.delimiter)
        if not whole and not ended:
            return
        taken = lines[start : start + used]
        if whole and not row:
            yield None, used
        elif whole and len(row) == len(header.names) and not _has_foreign_bytes(row):
            yield Record(dict(zip(header.names, row, strict=True)), taken[-1].after, lines=used), used
        else:
            # A stray quotation mark takes in the lines behind it: only its own line is given up.
            used = 1
            yield _refused(taken[:1], _reason(row, header, whole=whole)), used
        start += used


def _row(texts: Sequence[str], start: int, delimiter: str) -> tuple[list[str], int, bool]:
    """The record at a line, how many lines it takes, and whether its end is among them."""
    position, ran_out = start, False

    def feed() -> Iterator[str]:
        nonlocal position, ran_out
        while position < len(texts):
            position += 1
            yield texts[position - 1]
        ran_out = True

    csv.field_size_limit(LONGEST_RECORD)
    try:
        row = next(csv.reader(feed(), delimiter=delimiter), list[str]())
    except csv.Error:
        return ["\udcff"], 1, True
    return row, position - start, not ran_out


def _text(line: Line) -> str:
    return _NO_TEXT if line.data is None else line.data.decode(errors="surrogateescape")


def _has_foreign_bytes(row: Sequence[str]) -> bool:
    return any("\udc80" <= character <= "\udcff" for value in row if not value.isascii() for character in value)


def _reason(row: Sequence[str], header: Header, *, whole: bool) -> str:
    if not whole:
        return "a quotation mark is not closed"
    if _has_foreign_bytes(row):
        return f"it is not UTF-8, or has a line of more than {LONGEST_RECORD:,} bytes"
    return f"it has {len(row)} columns where the header has {len(header.names)}"


def _refused(lines: Sequence[Line], reason: str) -> Record:
    after: Mark = lines[-1].after
    return Record(None, after, reason=reason, beginning=(lines[0].data or b"")[:_SHOWN].decode(errors="replace"))
