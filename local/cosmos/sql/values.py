"""Values as the query language compares them: JSON, and `undefined` for what is not there."""

from typing import Any, Final

from local.cosmos.json_types import is_array, is_object


class Undefined:
    """The type of UNDEFINED."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()
NULL_RANK, BOOLEAN_RANK, NUMBER_RANK, STRING_RANK, ARRAY_RANK, OBJECT_RANK = range(1, 7)
_RANKS: dict[type, int] = {
    Undefined: 0,
    type(None): NULL_RANK,
    bool: BOOLEAN_RANK,
    int: NUMBER_RANK,
    float: NUMBER_RANK,
    str: STRING_RANK,
    list: ARRAY_RANK,
    dict: OBJECT_RANK,
}
_ORDERED = {BOOLEAN_RANK, NUMBER_RANK, STRING_RANK}


def tidy(number: float) -> float:
    """A whole number without a fraction: JSON knows one kind of number, and Azure writes 3, not 3.0."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def rank(value: Any) -> int:
    """The place of the value's type in the order undefined, null, booleans, numbers, strings, arrays, objects."""
    return _RANKS[type(value)]


def equal(left: Any, right: Any) -> bool:
    """Equality of two defined values. Unlike in Python, true is not 1, at any depth."""
    if rank(left) != rank(right):
        return False
    if is_array(left):
        return len(left) == len(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    if is_object(left):
        return left.keys() == right.keys() and all(equal(item, right[key]) for key, item in left.items())
    return left == right


def compare(operator: str, left: Any, right: Any) -> Any:
    """`left operator right`: a boolean, or UNDEFINED where there is none (a missing value, an order across types)."""
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    if operator == "=":
        return equal(left, right)
    if operator == "!=":
        return not equal(left, right)
    if rank(left) != rank(right) or rank(left) not in _ORDERED:
        return UNDEFINED
    return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator]


def order(left: Any, right: Any) -> int:
    """Which comes first in ORDER BY: negative for the left one. Arrays are equal among themselves, and objects too."""
    by_type = rank(left) - rank(right)
    if by_type or rank(left) not in _ORDERED:
        return by_type
    return (left > right) - (left < right)
