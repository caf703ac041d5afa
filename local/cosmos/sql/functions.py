"""The built-in functions. Arguments of a type that a function does not take give undefined, not an error."""

import json
import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import Any

from local.cosmos.json_types import is_object
from local.cosmos.sql.values import (
    ARRAY_RANK,
    BOOLEAN_RANK,
    NUMBER_RANK,
    OBJECT_RANK,
    STRING_RANK,
    UNDEFINED,
    equal,
    order,
    rank,
    tidy,
)

_MANY = 100


@dataclass(frozen=True, slots=True)
class Function:
    """`ranks` are the types of the first arguments; None takes any value, undefined too. Later ones repeat the last."""

    call: Callable[..., Any]
    arity: tuple[int, int]
    ranks: tuple[int | None, ...]

    def __call__(self, *arguments: Any) -> Any:
        for position, argument in enumerate(arguments):
            wanted = self.ranks[min(position, len(self.ranks) - 1)]
            if wanted is not None and rank(argument) != wanted:
                return UNDEFINED
        try:
            return self.call(*arguments)
        except (ValueError, ZeroDivisionError, OverflowError, re.error):
            return UNDEFINED


def _one(call: Callable[[Any], Any], wanted: int | None) -> Function:
    return Function(call, (1, 1), (wanted,))


def _two(call: Callable[[Any, Any], Any], first: int | None, second: int | None) -> Function:
    return Function(call, (2, 2), (first, second))


def _three(call: Callable[[Any, Any, Any], Any], first: int | None, second: int | None, third: int | None) -> Function:
    return Function(call, (3, 3), (first, second, third))


def _optional(call: Callable[..., Any], *ranks: int | None) -> Function:
    """The last argument may be left out."""
    return Function(call, (len(ranks) - 1, len(ranks)), ranks)


def _is(wanted: int) -> Function:
    return _one(lambda value: rank(value) == wanted, None)


def _text(test: Callable[[str, str], bool]) -> Function:
    """A test of two strings, with an optional third argument that ignores case."""

    def call(left: str, right: str, ignore_case: bool = False) -> bool:
        return test(left.lower(), right.lower()) if ignore_case else test(left, right)

    return _optional(call, STRING_RANK, STRING_RANK, BOOLEAN_RANK)


def _contains(array: list[Any], value: Any, partial: bool = False) -> bool:
    """ARRAY_CONTAINS; `partial` lets an object match one that has more properties."""
    if value is UNDEFINED:
        return False
    if partial and is_object(value):
        wanted: dict[str, Any] = value
        return any(is_object(item) and _includes(item, wanted) for item in array)
    return any(equal(item, value) for item in array)


def _includes(item: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(key in item and equal(item[key], value) for key, value in wanted.items())


def _round(value: float, digits: int = 0) -> float:
    """Half away from zero, unlike Python's round."""
    scale = 10**digits
    rounded = math.floor(abs(value) * scale + 0.5) / scale
    return tidy(math.copysign(rounded, value))


def _slice(array: list[Any], start: float, length: float | None = None) -> list[Any]:
    items = array[int(start) :]
    return items if length is None else items[: max(int(length), 0)]


def _to_number(text: str) -> Any:
    value = json.loads(text)
    return value if rank(value) == NUMBER_RANK else UNDEFINED


def _to_string(value: Any) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _matches(text: str, pattern: str, modifiers: str = "") -> bool:
    flags = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
    return re.search(pattern, text, sum(flags[one] for one in modifiers if one in flags)) is not None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def _index_of(text: str, part: str, start: float = 0) -> int:
    return text.find(part, int(start))


def _substring(text: str, start: float, length: float) -> str:
    return text[max(int(start), 0) :][: max(int(length), 0)]


def _join(*texts: str) -> str:
    return "".join(texts)


def _chain(*arrays: list[Any]) -> list[Any]:
    return [item for array in arrays for item in array]


def _intersection(left: list[Any], right: list[Any]) -> list[Any]:
    return [one for one in left if _contains(right, one)]


def _union(left: list[Any], right: list[Any]) -> list[Any]:
    return left + [one for one in right if not _contains(left, one)]


FUNCTIONS: dict[str, Function] = {
    "IS_DEFINED": _one(lambda value: value is not UNDEFINED, None),
    "IS_NULL": _one(lambda value: value is None, None),
    "IS_BOOL": _is(BOOLEAN_RANK),
    "IS_NUMBER": _is(NUMBER_RANK),
    "IS_STRING": _is(STRING_RANK),
    "IS_ARRAY": _is(ARRAY_RANK),
    "IS_OBJECT": _is(OBJECT_RANK),
    "IS_PRIMITIVE": _one(lambda value: 1 <= rank(value) <= STRING_RANK, None),
    "CONTAINS": _text(lambda text, part: part in text),
    "STARTSWITH": _text(lambda text, part: text.startswith(part)),
    "ENDSWITH": _text(lambda text, part: text.endswith(part)),
    "STRINGEQUALS": _text(lambda left, right: left == right),
    "REGEXMATCH": _optional(_matches, STRING_RANK, STRING_RANK, STRING_RANK),
    "LOWER": _one(str.lower, STRING_RANK),
    "UPPER": _one(str.upper, STRING_RANK),
    "LENGTH": _one(len, STRING_RANK),
    "TRIM": _one(str.strip, STRING_RANK),
    "LTRIM": _one(str.lstrip, STRING_RANK),
    "RTRIM": _one(str.rstrip, STRING_RANK),
    "REVERSE": _one(lambda text: text[::-1], STRING_RANK),
    "INDEX_OF": _optional(_index_of, STRING_RANK, STRING_RANK, NUMBER_RANK),
    "SUBSTRING": _three(_substring, STRING_RANK, NUMBER_RANK, NUMBER_RANK),
    "LEFT": _two(lambda text, length: text[: max(int(length), 0)], STRING_RANK, NUMBER_RANK),
    "RIGHT": _two(lambda text, length: text[max(len(text) - int(length), 0) :], STRING_RANK, NUMBER_RANK),
    "REPLACE": _three(str.replace, STRING_RANK, STRING_RANK, STRING_RANK),
    "CONCAT": Function(_join, (2, _MANY), (STRING_RANK,)),
    "STRINGSPLIT": _two(str.split, STRING_RANK, STRING_RANK),
    "STRINGJOIN": _two(lambda texts, between: between.join(texts), ARRAY_RANK, STRING_RANK),
    "TOSTRING": _one(_to_string, None),
    "STRINGTONUMBER": _one(_to_number, STRING_RANK),
    "ABS": _one(abs, NUMBER_RANK),
    "FLOOR": _one(math.floor, NUMBER_RANK),
    "CEILING": _one(math.ceil, NUMBER_RANK),
    "ROUND": _optional(_round, NUMBER_RANK, NUMBER_RANK),
    "TRUNC": _one(math.trunc, NUMBER_RANK),
    "SQRT": _one(lambda value: tidy(math.sqrt(value)), NUMBER_RANK),
    "POWER": _two(lambda base, exponent: tidy(math.pow(base, exponent)), NUMBER_RANK, NUMBER_RANK),
    "LOG": _one(lambda value: tidy(math.log(value)), NUMBER_RANK),
    "EXP": _one(lambda value: tidy(math.exp(value)), NUMBER_RANK),
    "ARRAY_CONTAINS": _optional(_contains, ARRAY_RANK, None, BOOLEAN_RANK),
    "ARRAY_LENGTH": _one(len, ARRAY_RANK),
    "ARRAY_CONCAT": Function(_chain, (2, _MANY), (ARRAY_RANK,)),
    "ARRAY_SLICE": _optional(_slice, ARRAY_RANK, NUMBER_RANK, NUMBER_RANK),
    "SETINTERSECT": _two(_intersection, ARRAY_RANK, ARRAY_RANK),
    "SETUNION": _two(_union, ARRAY_RANK, ARRAY_RANK),
    "IIF": _three(lambda condition, then, otherwise: then if condition is True else otherwise, None, None, None),
    "GETCURRENTDATETIME": Function(_now, (0, 0), (None,)),
    "GETCURRENTTIMESTAMP": Function(lambda: time.time_ns() // 1_000_000, (0, 0), (None,)),
}


def _sum(values: Sequence[Any]) -> Any:
    return sum(values) if all(rank(one) == NUMBER_RANK for one in values) else UNDEFINED


def _average(values: Sequence[Any]) -> Any:
    total = _sum(values)
    return tidy(total / len(values)) if values and total is not UNDEFINED else UNDEFINED


AGGREGATES: dict[str, Callable[[Sequence[Any]], Any]] = {
    "COUNT": len,
    "SUM": _sum,
    "AVG": _average,
    "MIN": lambda values: min(values, key=cmp_to_key(order), default=UNDEFINED),
    "MAX": lambda values: max(values, key=cmp_to_key(order), default=UNDEFINED),
}
"""Over the defined values of a group."""
