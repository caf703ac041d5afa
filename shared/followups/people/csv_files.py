"""A CSV file as people save it: its header, and its rows, of which a bad one fails alone."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from shared.platform.errors import InvalidInput

MOST_CHARACTERS = 2_000_000
MOST_BAD_QUOTES = 20
"""Rows that are badly quoted; a file with more is none of CSV."""
_DELIMITERS = ",;\t"
_EXCEL_SAYS = re.compile(r"sep=([^\r\n])[ \t]*(?:\r\n|\r|\n)", re.IGNORECASE)
"""The first line by which a file tells Excel its delimiter."""
_BAD_QUOTES = "it is badly quoted: a cell that begins with a quotation mark ends with one, and doubles those within it"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: its cells, or what is wrong with it.

    Attributes:
        line: on which it begins, counted from 1 as editors do.
    """

    line: int
    cells: list[str]
    problem: str | None = None


def read(text: str) -> tuple[list[str], Iterator[Row]]:
    """The header's names, and the rows behind it; empty rows are none.

    Raises:
        InvalidInput: while rows are read, when the file turns out to be none of CSV.
    """
    # What is too long for a field fails its row, not the file. The limit is the process's: others may need more.
    csv.field_size_limit(max(csv.field_size_limit(), MOST_CHARACTERS))
    text = text.removeprefix("\ufeff")
    excel_line = _EXCEL_SAYS.match(text)
    # Rows end as files have it: a separator within a cell, such as U+2028, ends none.
    lines = list(StringIO(text[excel_line.end() :] if excel_line else text, newline=""))
    delimiter = excel_line.group(1) if excel_line else _delimiter(text)
    rows = _rows(lines, delimiter, 2 if excel_line else 1)
    first = next(rows, None)
    if first is None or first.problem:
        raise InvalidInput("The first line is no header of a CSV file.", field="csv")
    header = [name.strip() for name in first.cells]
    return header, (
        _measured(row, len(header)) for row in rows if any(cell.strip() for cell in row.cells) or row.problem
    )


def _delimiter(text: str) -> str:
    """The header's, outside of what it quotes; spreadsheets write semicolons where the comma is a decimal point."""
    return max(_DELIMITERS, key=re.sub(r'"(?:[^"]|"")*"', "", text).partition("\n")[0].count)


def _rows(lines: list[str], delimiter: str, first_line: int) -> Iterator[Row]:
    """Rows one by one; behind one that is badly quoted it goes on with the next line."""
    begins, bad = 0, 0
    while begins < len(lines):
        reader = csv.reader(lines[begins:], strict=True, delimiter=delimiter)
        taken = 0
        try:
            for cells in reader:
                yield Row(first_line + begins + taken, cells)
                taken = reader.line_num
        except csv.Error:
            line = first_line + begins + taken
            bad += 1
            if bad > MOST_BAD_QUOTES:
                raise InvalidInput(
                    f"More than {MOST_BAD_QUOTES} rows are badly quoted, the last in line {line}.", field="csv"
                ) from None
            yield Row(line, [], _BAD_QUOTES)
            taken += 1
        begins += taken


def _measured(row: Row, columns: int) -> Row:
    more = len(row.cells) > columns and any(cell.strip() for cell in row.cells[columns:])
    if more and not row.problem:
        return Row(
            row.line, [], f"it has {len(row.cells)} cells, the header {columns}: quote a cell with a delimiter in it"
        )
    return row
