"""Answers a parsed query over documents."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any, NamedTuple

from local.cosmos.json_types import is_array, is_object
from local.cosmos.sql.functions import AGGREGATES, FUNCTIONS
from local.cosmos.sql.syntax import (
    Aggregate,
    ArrayOf,
    Between,
    Binary,
    Call,
    Conditional,
    Constant,
    Expression,
    In,
    Logic,
    Member,
    Name,
    ObjectOf,
    Query,
    SqlError,
    Subquery,
    Unary,
)
from local.cosmos.sql.values import NUMBER_RANK, STRING_RANK, UNDEFINED, compare, equal, order, rank, tidy


class Row(NamedTuple):
    """One result, with the position of the document that it comes from (of no meaning unless the query streams)."""

    position: int
    value: Any


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names stand for in one row. `group` holds the rows that an aggregate works on."""

    names: dict[str, Any]
    position: int = 0
    group: "list[Scope]" = field(default_factory=list["Scope"])


def run(query: Query, documents: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Row]:
    """The results over (position, document) pairs.

    Raises:
        SqlError: TOP, OFFSET or LIMIT is no whole number, or the query nests too deep.
    """
    try:
        yield from _run(query, (Scope({"ROOT": document}, position) for position, document in documents))
    except RecursionError as error:
        raise SqlError("The query nests too deep.") from error


def _run(query: Query, outer: Iterable[Scope]) -> Iterator[Row]:
    if not query.sources:
        outer = [next(iter(outer), Scope({}))]
    rows = (row for scope in outer for row in _rows(query, scope))
    if query.group or query.aggregates:
        rows = _groups(query, list(rows))
    if query.order:
        rows = sorted(rows, key=cmp_to_key(lambda left, right: _order(query, left, right)))
    results = _results(query, rows)
    if query.distinct:
        results = _distinct(results)
    start, stop = _window(query)
    for number, result in enumerate(results):
        if stop is not None and number >= stop:
            return
        if number >= start:
            yield result


def _rows(query: Query, outer: Scope) -> Iterator[Scope]:
    rows = [outer]
    for source in query.sources:
        next_rows: list[Scope] = []
        for row in rows:
            value = evaluate(source.expression, row)
            values: list[Any] = [value]
            if source.iterates:
                values = value if is_array(value) else []
            next_rows += [
                Scope(row.names | {source.alias: one}, outer.position) for one in values if one is not UNDEFINED
            ]
        rows = next_rows
    for row in rows:
        if query.where is None or evaluate(query.where, row) is True:
            yield row


def _groups(query: Query, rows: list[Scope]) -> Iterator[Scope]:
    groups: dict[str, list[Scope]] = {} if query.group else {"": []}
    for row in rows:
        key = _key([evaluate(expression, row) for expression in query.group]) if query.group else ""
        groups.setdefault(key, []).append(row)
    for members in groups.values():
        yield Scope(members[0].names if members else {}, 0, members)


def _order(query: Query, left: Scope, right: Scope) -> int:
    for expression, descending in query.order:
        difference = order(evaluate(expression, left), evaluate(expression, right))
        if difference:
            return -difference if descending else difference
    return 0


def _results(query: Query, rows: Iterable[Scope]) -> Iterator[Row]:
    for row in rows:
        if query.items is None:
            value = row.names[query.sources[0].alias]
        elif query.value:
            value = evaluate(query.items[0][1], row)
        else:
            value = _without_undefined((name, evaluate(expression, row)) for name, expression in query.items)
        if value is not UNDEFINED:
            yield Row(row.position, value)


def _distinct(results: Iterable[Row]) -> Iterator[Row]:
    seen: set[str] = set()
    for result in results:
        key = _key(result.value)
        if key not in seen:
            seen.add(key)
            yield result


def _window(query: Query) -> tuple[int, int | None]:
    start, stop = 0, None
    if query.offset is not None and query.limit is not None:
        start = _whole(query.offset, "OFFSET")
        stop = start + _whole(query.limit, "LIMIT")
    if query.top is not None:
        stop = _whole(query.top, "TOP")
    return start, stop


def _whole(expression: Expression, clause: str) -> int:
    value = evaluate(expression, Scope({}))
    if rank(value) != NUMBER_RANK or value < 0 or value != int(value):
        raise SqlError(f"The value of the {clause} clause must be a non-negative whole number.", "SC2062")
    return int(value)


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _without_undefined(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in items if value is not UNDEFINED}


def evaluate(expression: Expression, scope: Scope) -> Any:
    """The value of an expression in one row."""
    return _EVALUATE[type(expression)](expression, scope)


def _member(expression: Member, scope: Scope) -> Any:
    target, key = evaluate(expression.target, scope), evaluate(expression.key, scope)
    if is_object(target) and isinstance(key, str):
        return target.get(key, UNDEFINED)
    if is_array(target) and rank(key) == NUMBER_RANK and key == int(key) and 0 <= key < len(target):
        return target[int(key)]
    return UNDEFINED


def _unary(expression: Unary, scope: Scope) -> Any:
    value = evaluate(expression.operand, scope)
    if expression.operator == "NOT":
        return not value if isinstance(value, bool) else UNDEFINED
    return -value if rank(value) == NUMBER_RANK else UNDEFINED


def _binary(expression: Binary, scope: Scope) -> Any:
    operator = expression.operator
    left = evaluate(expression.left, scope)
    if operator == "??":
        return evaluate(expression.right, scope) if left is UNDEFINED else left
    right = evaluate(expression.right, scope)
    if operator == "LIKE":
        return _like(left, right)
    if operator in _ARITHMETIC:
        wanted = STRING_RANK if operator == "||" else NUMBER_RANK
        return _ARITHMETIC[operator](left, right) if rank(left) == rank(right) == wanted else UNDEFINED
    return compare(operator, left, right)


def _logic(expression: Logic, scope: Scope) -> Any:
    return _join((evaluate(one, scope) for one in expression.operands), decides=expression.operator == "OR")


def _join(values: Iterable[Any], *, decides: bool) -> Any:
    """AND, which one false decides, or OR, which one true decides; else what is no boolean makes it undefined."""
    result: Any = not decides
    for value in values:
        if value is decides:
            return decides
        if not isinstance(value, bool):
            result = UNDEFINED
    return result


def _like(value: Any, pattern: Any) -> Any:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return UNDEFINED
    wild = {"%": ".*", "_": "."}
    return re.fullmatch("".join(wild.get(one, re.escape(one)) for one in pattern), value, re.DOTALL) is not None


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: tidy(left / right) if right else UNDEFINED,
    "%": lambda left, right: _modulo(left, right) if right else UNDEFINED,
    "||": lambda left, right: left + right,
}


def _modulo(left: float, right: float) -> float:
    """The remainder with the sign of the left side, unlike Python's %."""
    return tidy(math.fmod(left, right))


def _in(expression: In, scope: Scope) -> Any:
    value = evaluate(expression.value, scope)
    if value is UNDEFINED:
        return UNDEFINED
    options = [evaluate(one, scope) for one in expression.options]
    return any(equal(value, one) for one in options)


def _between(expression: Between, scope: Scope) -> Any:
    value = evaluate(expression.value, scope)
    low, high = evaluate(expression.low, scope), evaluate(expression.high, scope)
    return _join([compare(">=", value, low), compare("<=", value, high)], decides=False)


def _conditional(expression: Conditional, scope: Scope) -> Any:
    chosen = expression.then if evaluate(expression.condition, scope) is True else expression.otherwise
    return evaluate(chosen, scope)


def _aggregate(expression: Aggregate, scope: Scope) -> Any:
    values = [evaluate(expression.argument, row) for row in scope.group]
    return AGGREGATES[expression.name]([one for one in values if one is not UNDEFINED])


def _subquery(expression: Subquery, scope: Scope) -> Any:
    rows = [row.value for row in _run(expression.query, [scope])]
    if expression.kind == "EXISTS":
        return bool(rows)
    return rows if expression.kind == "ARRAY" else next(iter(rows), UNDEFINED)


_EVALUATE: dict[type[Any], Callable[[Any, Scope], Any]] = {
    Constant: lambda expression, _: expression.value,
    Name: lambda expression, scope: scope.names.get(expression.name, UNDEFINED),
    Member: _member,
    Unary: _unary,
    Binary: _binary,
    Logic: _logic,
    Conditional: _conditional,
    In: _in,
    Between: _between,
    Call: lambda expression, scope: FUNCTIONS[expression.name](*(evaluate(one, scope) for one in expression.arguments)),
    Aggregate: _aggregate,
    ArrayOf: lambda expression, scope: [
        value for one in expression.items if (value := evaluate(one, scope)) is not UNDEFINED
    ],
    ObjectOf: lambda expression, scope: _without_undefined(
        (key, evaluate(value, scope)) for key, value in expression.items
    ),
    Subquery: _subquery,
}
