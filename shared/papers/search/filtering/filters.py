"""The language of filters, such as `year >= 2020 and (category in (cs.LG, stat.ML) or author = "Balazs")`.

What a person writes becomes a tree of comparisons of known fields with typed values, and never any SQL of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast

from shared.papers.sources import identifiers, text
from shared.papers.sources.rejected import RecordRejected
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from lark import Lark, Tree

LONGEST = 2_000
DEEPEST = 20
MOST_VALUES = 200

Value = str | int | bool | date
Operator = Literal["=", "!=", "<", "<=", ">", ">="]
_ORDERED: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=")
_EQUAL: tuple[Operator, ...] = ("=", "!=")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with one value. `=` on a field of several values asks whether it is among them."""

    field: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class All:
    """Whether all parts hold."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Whether any part holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whether the part does not hold.

    A paper without a DOI does not have the one that is named; of one without a date nothing is known, nor its opposite.
    """

    part: Filter


Filter = Comparison | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class _Field:
    """What a field may be compared by, and how its values are read."""

    operators: tuple[Operator, ...]
    read: Callable[[str], Value]


def _day(value: str) -> Value:
    # A source's 2020 or 2020-01 is read as its first day; to compare with that would leave the rest out.
    day = None if len(value.strip()) < len("2020-01-31") else text.day_of(value, "date")
    if day is None:
        raise ValueError("a day is needed, such as 2020-01-31; whole years are compared by year")
    return day


def _year(value: str) -> Value:
    if not value.isdecimal() or not 1 <= int(value) <= 9998:  # noqa: PLR2004 - years that a date can have
        raise ValueError("a year is needed, such as 2020")
    return int(value)


def _truth(value: str) -> Value:
    if value.lower() not in ("true", "false"):
        raise ValueError("true or false is needed")
    return value.lower() == "true"


def _plain(value: str) -> Value:
    return text.line(value, "value")  # as it is stored


def _author(value: str) -> Value:
    if not (key := text.name_key(value)):
        raise ValueError("a part of a name is needed")
    return key


def _doi(value: str) -> Value:
    if not (doi := identifiers.doi_of(value)):
        raise ValueError("a DOI is needed, such as 10.1000/182")
    return doi


def _arxiv_id(value: str) -> Value:
    if not (arxiv_id := identifiers.arxiv_id_of(value)):
        raise ValueError("an arXiv id is needed, such as 2101.00001")
    return arxiv_id


FIELDS: dict[str, _Field] = {
    "source": _Field(_EQUAL, _plain),
    "category": _Field(_EQUAL, _plain),
    "author": _Field(_EQUAL, _author),
    "year": _Field(_ORDERED, _year),
    "date": _Field(_ORDERED, _day),
    "doi": _Field(_EQUAL, _doi),
    "arxiv_id": _Field(_EQUAL, _arxiv_id),
    "withdrawn": _Field(_EQUAL, _truth),
    "has_abstract": _Field(_EQUAL, _truth),
}

_GRAMMAR = r"""
?start: any
?any: all ("or"i all)*
?all: part ("and"i part)*
?part: "not"i part -> negation
     | "(" any ")" -> group
     | NAME OPERATOR value -> comparison
     | NAME "in"i "(" value ("," value)* ")" -> membership
     | NAME "between"i value "and"i value -> range
value: STRING | WORD
OPERATOR: "<=" | ">=" | "!=" | "=" | "<" | ">"
NAME.2: /[a-z_]+(?=\s*(<|>|=|!=))|[a-z_]+(?=\s+(in|between)\b)/i
STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/
WORD: /(?!(?:and|or|not|in|between)\b)[^\s"'(),<>=!]+/i
%ignore /\s+/
"""


def parse(written: str) -> Filter:
    """The tree of a filter.

    Raises:
        InvalidInput: it cannot be read, names no field that there is, or is too long; the message says where and why.
    """
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415 - loads when a filter is read

    if len(written) > LONGEST:
        raise _problem(f"It has more than {LONGEST:,} characters.")
    try:
        tree = _parser().parse(written)
    except UnexpectedInput as error:
        raise _problem(f"It cannot be read from character {error.column} on.") from None
    made = _made(cast("Tree[Any]", tree), 0)
    if _size(made) > MOST_VALUES:
        raise _problem(f"It compares more than {MOST_VALUES} values.")
    return made


@cache
def _parser() -> Lark:
    from lark import Lark  # noqa: PLC0415 - loads when a filter is read

    return Lark(_GRAMMAR, parser="lalr")


def _made(tree: Tree[Any], depth: int) -> Filter:
    """The filter of a part, which stands in `depth` parentheses and negations."""
    children: list[Any] = tree.children
    if depth > DEEPEST:
        raise _problem(f"It is nested more than {DEEPEST} deep.")
    match tree.data:
        case "any" | "all":
            parts = tuple(_made(child, depth) for child in children)
            return AnyOf(parts) if tree.data == "any" else All(parts)
        case "group":
            return _made(children[0], depth + 1)
        case "negation":
            return Not(_made(children[0], depth + 1))
        case "comparison":
            return _comparison(str(children[0]), str(children[1]), children[2])
        case "membership":
            return AnyOf(tuple(_comparison(str(children[0]), "=", value) for value in children[1:]))
        case _:
            field = str(children[0])
            return All((_comparison(field, ">=", children[1]), _comparison(field, "<=", children[2])))


def _comparison(name: str, operator: str, value: Tree[Any]) -> Filter:
    field = FIELDS.get(name.lower())
    if field is None:
        raise _problem(f"There is no field {name[:50]!r}. The fields are: {', '.join(FIELDS)}.")
    if operator not in field.operators:
        raise _problem(f"{name} cannot be compared with {operator}; it takes {' '.join(field.operators)}.")
    written = str(value.children[0])
    if written[0] in "\"'":
        written = written[1:-1].replace("\\" + written[0], written[0]).replace("\\\\", "\\")
    try:
        read = field.read(written)
    except (ValueError, RecordRejected) as error:
        raise _problem(f"{name}: {error}.") from None
    compared: Filter = Comparison(name.lower(), "=" if operator == "!=" else cast("Operator", operator), read)
    if name.lower() == "doi" and (arxiv_id := identifiers.arxiv_id_of(read)):
        compared = AnyOf((compared, Comparison("arxiv_id", "=", arxiv_id)))
    return Not(compared) if operator == "!=" else compared


def _size(made: Filter) -> int:
    match made:
        case Comparison():
            return 1
        case Not(part):
            return _size(part)
        case All(parts) | AnyOf(parts):
            return sum(map(_size, parts))


def _problem(reason: str) -> InvalidInput:
    return InvalidInput(
        f"The filter is unusable. {reason}",
        field="filters",
        code="unusable-filter",
        remedy='Write it like: year >= 2020 and (category in (cs.LG, stat.ML) or author = "Balazs").',
    )
