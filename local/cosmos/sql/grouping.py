"""What Azure asks of a query with GROUP BY: what it selects has one value in each group, and groups have no order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

from local.cosmos.sql.syntax import Aggregate, Constant, Expression, Member, Name, Query, SqlError, Subquery


def check_groups(query: Query) -> None:
    """Raises SqlError for a query with GROUP BY that Azure would refuse."""
    if not query.group:
        return
    if query.order:
        raise SqlError("'ORDER BY' is not supported in presence of GROUP BY.")
    for expression in query.group:
        below = list(_all(expression))
        if any(isinstance(one, Aggregate | Subquery) for one in below):
            raise SqlError("The GROUP BY clause cannot contain aggregate functions or subqueries.")
        if not any(isinstance(one, Member) for one in below):
            raise SqlError("Each GROUP BY expression must contain at least one property reference.")
    selected = [expression for _, expression in query.items or ()]
    if any(isinstance(below, Aggregate) for one in selected for part in _parts(one) for below in _all(part)):
        raise SqlError("Compositions of aggregates and other expressions are not allowed.")
    if query.items is None or not all(_has_one_value(one, query.group) for one in selected):
        raise SqlError(
            "A property reference is invalid in the select list because it is not contained in either an aggregate"
            " function or the GROUP BY clause."
        )


def _has_one_value(expression: Expression, group: list[Expression]) -> bool:
    if expression in group or isinstance(expression, Constant | Aggregate):
        return True
    return not isinstance(expression, Name | Member | Subquery) and all(
        _has_one_value(one, group) for one in _parts(expression)
    )


def _all(expression: Expression) -> Iterator[Expression]:
    yield expression
    for one in _parts(expression):
        yield from _all(one)


def _parts(expression: Expression) -> Iterator[Expression]:
    """The expressions that this one is made of."""
    if isinstance(expression, Subquery):
        return
    for field in fields(expression):
        yield from _expressions(getattr(expression, field.name))


def _expressions(value: Any) -> Iterator[Any]:
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, tuple):
        for one in cast("tuple[Any, ...]", value):
            yield from _expressions(one)
