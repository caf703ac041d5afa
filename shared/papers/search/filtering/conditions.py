"""A filter as a condition on papers, with its values as parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from shared.papers.search.filtering.filters import All, AnyOf, Comparison, Filter, Not, Operator

EVERYTHING = "true"


@dataclass(slots=True)
class Condition:
    """SQL that was written in this module, over the alias `p` of papers, and the values that its parameters have."""

    sql: str = EVERYTHING
    values: dict[str, Any] = field(default_factory=dict[str, Any])

    def also(self, sql: str, **values: Any) -> Condition:
        """Both this and another condition of ours."""
        joined = sql if self.sql == EVERYTHING else f"({self.sql}) and ({sql})"
        return Condition(joined, self.values | values)


def condition_of(tree: Filter | None) -> Condition:
    """The condition of a filter; without one, every paper."""
    if tree is None:
        return Condition()
    values: dict[str, Any] = {}
    return Condition(_sql(tree, values), values)


def _sql(tree: Filter, values: dict[str, Any], *, negated: bool = False) -> str:
    match tree:
        case Comparison():
            return _compared(tree, values, negated=negated)
        case All(parts) | AnyOf(parts):
            joint = " and " if isinstance(tree, All) is not negated else " or "
            return "(" + joint.join(_sql(part, values, negated=negated) for part in parts) + ")"
        case Not(part):
            return _sql(part, values, negated=not negated)


_EQUAL = {
    "source": "p.source = {}",
    "category": "p.categories @> array[{}]",
    "doi": "p.doi = {}",
    "arxiv_id": "p.arxiv_id = {}",
    "withdrawn": "p.withdrawn = {}",
    "has_abstract": "(p.abstract is not null) = {}",
}
"""What it means that a field equals a value."""


_OPPOSITE: dict[Operator, Operator] = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def _compared(comparison: Comparison, values: dict[str, Any], *, negated: bool) -> str:
    def parameter(value: Any) -> str:
        name = f"v{len(values)}"
        values[name] = value
        return f"%({name})s"

    # The opposite of a comparison of dates is another one: what has no date is in neither.
    operator = _OPPOSITE[comparison.operator] if negated else comparison.operator
    if comparison.field == "year":
        return _in_year(operator, cast("int", comparison.value), parameter)
    if comparison.field == "date":
        return f"p.primary_date {operator} {parameter(comparison.value)}"
    if comparison.field == "author":
        equal = _by_author(str(comparison.value), parameter)
    else:
        equal = _EQUAL[comparison.field].format(parameter(comparison.value))
    return f"(({equal}) is not true)" if negated else equal


def _by_author(name: str, parameter: Any) -> str:
    """Whether one author has all parts of the name. The index knows only whether any authors have them."""
    parts = f"string_to_array({parameter(name)}, ' ')"
    among_all = f"p.author_keys @> {parts}"
    if " " not in name:
        return among_all
    # To fold a name takes ten times as long as to see that a plain one lacks a part.
    perhaps = f'octet_length(a) <> char_length(a) or lower(a collate "C") like all({parameter(_patterns(name))})'
    in_one = f"string_to_array(papers.name_key(a), ' ') @> {parts}"
    return f"({among_all} and exists (select from unnest(p.authors) a where ({perhaps}) and {in_one}))"


def _patterns(name: str) -> list[str]:
    return [f"%{part}%" for part in name.split()]


def _in_year(operator: Operator, year: int, parameter: Any) -> str:
    """Days rather than years are compared, since they have an index."""
    begins, next_begins = date(year, 1, 1), date(year + 1, 1, 1)
    match operator:
        case "=":
            return f"(p.primary_date >= {parameter(begins)} and p.primary_date < {parameter(next_begins)})"
        case "!=":
            return f"(p.primary_date < {parameter(begins)} or p.primary_date >= {parameter(next_begins)})"
        case "<":
            return f"p.primary_date < {parameter(begins)}"
        case "<=":
            return f"p.primary_date < {parameter(next_begins)}"
        case ">":
            return f"p.primary_date >= {parameter(next_begins)}"
        case ">=":
            return f"p.primary_date >= {parameter(begins)}"
