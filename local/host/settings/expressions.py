"""Binding expressions: `%SETTING%` from the settings at the start, `{parameter}` from the trigger at each run."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

_SETTING = re.compile(r"%([^%]*)%")
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_DATE_TOKENS = re.compile(
    r"yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,7}|tt|K|zzz|'[^']*'|\\.|.", re.DOTALL
)
_DEFAULT_DATE = "yyyy-MM-ddTHH-mm-ssK"


class ExpressionError(ValueError):
    """A binding names a setting or a parameter that has no value."""


def resolve_settings(text: str, settings: Mapping[str, str]) -> str:
    """Replace every `%NAME%`. Raises ExpressionError in the Functions host's own words when one is not set."""

    def value(match: re.Match[str]) -> str:
        found = settings.get(match.group(1))
        if found is None:
            raise ExpressionError(f"'%{match.group(1)}%' does not resolve to a value.")
        return found

    return _SETTING.sub(value, text)


def resolve_parameters(text: str, data: Mapping[str, Any], *, function: str, now: datetime) -> str:
    """Replace every `{name}` by the trigger's data. `now` (aware UTC) serves `{DateTime}`. Raises ExpressionError."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        special = _special(name, function, now)
        if special is not None:
            return special
        found = _look_up(name, data)
        if found is None:
            known = ", ".join(sorted(data)) or "none"
            raise ExpressionError(f"No value for named parameter '{name}'. This trigger offers: {known}.")
        return found

    return _PARAMETER.sub(value, text)


def template_pattern(template: str) -> re.Pattern[str]:
    """A pattern whose groups are the template's `{names}`; the last one takes all that is left, slashes included."""
    parts = _PARAMETER.split(template)
    pieces: list[str] = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pieces.append(re.escape(part))
        else:
            last = index == len(parts) - 2 and parts[-1] == ""
            pieces.append(f"(?P<{part}>.+)" if last else f"(?P<{part}>.+?)")
    return re.compile("".join(pieces) + r"\Z", re.DOTALL)


def format_date(now: datetime, pattern: str) -> str:
    """Format a UTC time by a .NET date pattern, as far as blob paths use it."""
    return "".join(_date_token(token, now) for token in _DATE_TOKENS.findall(pattern or _DEFAULT_DATE))


def _special(name: str, function: str, now: datetime) -> str | None:
    head, _, tail = name.partition(":")
    match head.lower():
        case "rand-guid":
            return _guid(tail)
        case "sys.randguid":
            return _guid("")
        case "datetime":
            return format_date(now, tail)
        case "sys.utcnow":
            return format_date(now, tail)
        case "sys.methodname":
            return function
        case _:
            return None


def _guid(form: str) -> str:
    value = uuid.uuid4()
    shapes: dict[str, str] = {"n": value.hex, "b": f"{{{value}}}", "p": f"({value})"}
    return shapes.get(form.lower(), str(value))


def _look_up(name: str, data: Mapping[str, Any]) -> str | None:
    value: Any = data
    for part in [name] if name in data else name.split("."):
        if not isinstance(value, Mapping):
            return None
        members = cast("Mapping[str, Any]", value)
        value = members.get(part)
        if value is None:
            value = next((one for key, one in members.items() if key.lower() == part.lower()), None)
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else json.dumps(value)


_DATE_FORMATS: dict[str, Callable[[datetime], str]] = {
    "yyyy": lambda now: f"{now.year:04}",
    "yy": lambda now: f"{now.year % 100:02}",
    "MMMM": lambda now: now.strftime("%B"),
    "MMM": lambda now: now.strftime("%b"),
    "MM": lambda now: f"{now.month:02}",
    "M": lambda now: str(now.month),
    "dddd": lambda now: now.strftime("%A"),
    "ddd": lambda now: now.strftime("%a"),
    "dd": lambda now: f"{now.day:02}",
    "d": lambda now: str(now.day),
    "HH": lambda now: f"{now.hour:02}",
    "H": lambda now: str(now.hour),
    "hh": lambda now: now.strftime("%I"),
    "h": lambda now: str(int(now.strftime("%I"))),
    "mm": lambda now: f"{now.minute:02}",
    "m": lambda now: str(now.minute),
    "ss": lambda now: f"{now.second:02}",
    "s": lambda now: str(now.second),
    "tt": lambda now: now.strftime("%p"),
    "K": lambda _: "Z",
    "zzz": lambda _: "+00:00",
}


def _date_token(token: str, now: datetime) -> str:
    known = _DATE_FORMATS.get(token)
    if known is not None:
        return known(now)
    if token.startswith("f"):
        return f"{now.microsecond:06}0"[: len(token)]
    if token.startswith("'"):
        return token.strip("'")
    return token.removeprefix("\\")
