"""Route constraints of ASP.NET: each one a check of a parameter's text."""

import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

Check = Callable[[str], bool]


class RouteInvalid(ValueError):
    """A route template that ASP.NET would refuse."""


def constraint(text: str) -> Check:
    """The check of one constraint such as `int` or `range(1,9)`. Raises RouteInvalid."""
    name, _, arguments = text.partition("(")
    argument = arguments.removesuffix(")")
    simple = _SIMPLE.get(name.lower())
    if simple is not None and not argument:
        return simple
    if name.lower() == "regex":
        try:
            pattern = re.compile(argument, re.IGNORECASE)
        except re.error as error:
            raise RouteInvalid(f"The route constraint '{text}' is no valid expression: {error}.") from error
        return lambda value: pattern.search(value) is not None
    numbers = argument.split(",")
    bounds = _BOUNDS.get((name.lower(), len(numbers)))
    if bounds is not None and all(_is_integer(one, 64) for one in numbers):
        measures_length, low, high = bounds
        return _bounded(
            measures_length,
            None if low is None else int(numbers[low]),
            None if high is None else int(numbers[high]),
        )
    raise RouteInvalid(f"The constraint reference '{name}' could not be resolved to a type.")


def _is_integer(value: str, bits: int) -> bool:
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", value, re.ASCII):
        return False
    limit = 1 << (bits - 1)
    return -limit <= int(value) < limit


def _is_number(value: str) -> bool:
    return (
        re.fullmatch(r"\s*[+-]?([0-9][0-9,]*(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?\s*", value, re.IGNORECASE) is not None
    )


def _is_guid(value: str) -> bool:
    if not re.fullmatch(r"[0-9a-f]{32}|[{(]?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}[)}]?", value, re.IGNORECASE):
        return False
    with suppress(ValueError):
        uuid.UUID(value.strip("{}()"))
        return True
    return False


def _is_date(value: str) -> bool:
    for form in (None, "%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%Y/%m/%d", "%m-%d-%Y"):
        with suppress(ValueError):
            _ = datetime.fromisoformat(value) if form is None else datetime.strptime(value, form)  # noqa: DTZ007 - only whether it parses
            return True
    return False


_SIMPLE: dict[str, Check] = {
    "int": lambda value: _is_integer(value, 32),
    "long": lambda value: _is_integer(value, 64),
    "bool": lambda value: value.strip().lower() in {"true", "false"},
    "decimal": _is_number,
    "double": _is_number,
    "float": _is_number,
    "guid": _is_guid,
    "datetime": _is_date,
    "alpha": lambda value: re.fullmatch(r"[a-z]*", value, re.IGNORECASE | re.ASCII) is not None,
    "required": bool,
    "file": lambda value: "." in value.rsplit("/", 1)[-1].rstrip("."),
    "nonfile": lambda value: "." not in value.rsplit("/", 1)[-1].rstrip("."),
}

# Whether the text's length is meant or its value, and which arguments are the lower and the upper bound.
_BOUNDS: dict[tuple[str, int], tuple[bool, int | None, int | None]] = {
    ("length", 1): (True, 0, 0),
    ("length", 2): (True, 0, 1),
    ("minlength", 1): (True, 0, None),
    ("maxlength", 1): (True, None, 0),
    ("min", 1): (False, 0, None),
    ("max", 1): (False, None, 0),
    ("range", 2): (False, 0, 1),
}


def _bounded(measures_length: bool, low: int | None, high: int | None) -> Check:
    def check(value: str) -> bool:
        if not measures_length and not _is_integer(value, 64):
            return False
        number = len(value) if measures_length else int(value)
        return (low is None or number >= low) and (high is None or number <= high)

    return check
