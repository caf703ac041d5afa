"""How a row stands in a base: its fields as text, and what text each kind of value is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_type_hints

from shared.authcache.tables import R, Table

FIELD = "\x1f"
"""Between the fields of a row."""
NONE = "\x00"
ESCAPE = "\x1b"
ESCAPED = ((ESCAPE, "\x1b0"), (FIELD, "\x1b1"), (NONE, "\x1b2"))
"""Characters that mean something in a row, and what stands for them in a text of the user's; in this order."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Kind = Literal["str", "int", "bool", "datetime", "Decimal"]
_MICROSECOND = timedelta(microseconds=1)


def _escaped(text: str) -> str:
    for character, stands_for_it in ESCAPED:
        if character in text:
            text = text.replace(character, stands_for_it)
    return text


_TO_TEXT: dict[Kind, Callable[[Any], str]] = {
    "str": _escaped,
    "int": str,
    "bool": lambda value: "1" if value else "0",
    "datetime": lambda value: str((value - EPOCH) // _MICROSECOND),
    "Decimal": str,
}
_FROM_TEXT: dict[Kind, Callable[[str], Any]] = {
    "str": lambda text: text,
    "int": int,
    "bool": lambda text: text == "1",
    "datetime": lambda text: EPOCH + timedelta(0, 0, int(text)),
    "Decimal": Decimal,
}
KINDS: dict[type, Kind] = {str: "str", int: "int", bool: "bool", datetime: "datetime", Decimal: "Decimal"}


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a row."""

    name: str
    kind: Kind
    optional: bool


@cache
def columns(table: Table[Any]) -> tuple[Column, ...]:
    """The table's columns, the id first."""
    hints = get_type_hints(table.row)
    found: list[Column] = []
    for name in (field.name for field in fields(table.row)):
        kinds = [one for one in get_args(hints[name]) or (hints[name],) if one is not NoneType]
        found.append(Column(name, KINDS[kinds[0]], NoneType in get_args(hints[name])))
    return tuple(sorted(found, key=lambda column: column.name != "id"))


def to_text(table: Table[R], row: R) -> bytes:
    """The row as it stands in a base."""
    parts: list[str] = []
    for column in columns(table):
        value = getattr(row, column.name)
        parts.append(NONE if value is None else _TO_TEXT[column.kind](value))
    return FIELD.join(parts).encode()


@cache
def _readers(table: Table[Any]) -> tuple[tuple[str, ...], tuple[tuple[str, Callable[[str], Any]], ...]]:
    """The names of all columns, and how those are read that are not plain text."""
    found = columns(table)
    others = [one for one in found if one.kind != "str" or one.optional]
    return tuple(one.name for one in found), tuple((one.name, _FROM_TEXT[one.kind]) for one in others)


def from_text(table: Table[R], data: bytes) -> R | None:
    """The row; None where the text says that it is no more.

    Raises:
        ValueError: this is no row of the table.
    """
    text = data.decode()
    parts = text.split(FIELD)
    names, readers = _readers(table)
    if len(parts) != len(names):
        if len(parts) == 1:
            return None
        raise ValueError(f"{len(parts)} fields in place of {len(names)}")
    if ESCAPE in text:
        parts = [_unescaped(part) for part in parts]
    fields: dict[str, Any] = dict(zip(names, parts, strict=True))
    for name, reader in readers:
        part = fields[name]
        fields[name] = None if part == NONE else reader(part)
    return table.row(**fields)


def _unescaped(text: str) -> str:
    if ESCAPE in text:
        for character, stands_for_it in reversed(ESCAPED):
            text = text.replace(stands_for_it, character)
    return text
