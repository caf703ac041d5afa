"""JSON as Newtonsoft, Azure's library for it, reads and writes it."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, cast

_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_DATE = re.compile(
    r"(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,7})\d*)?"
    r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?\Z",
    re.ASCII,
)
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object with comments and trailing commas allowed.

    Raises:
        ValueError: the file holds anything else.
        OSError: it cannot be read.
    """
    text = path.read_text(encoding="utf-8-sig")
    text = _COMMENT.sub(lambda match: match.group(1) or "", text)
    text = _TRAILING_COMMA.sub(lambda match: match.group(1) or "", text)
    parsed = shallow(text)
    if not isinstance(parsed, dict):
        raise ValueError("the file does not hold a JSON object")  # noqa: TRY004 - one error type for callers
    return cast("dict[str, Any]", parsed)


def shallow(text: str) -> Any:
    """The value of a JSON text of our own, which has few levels. Raises ValueError for any other."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_text(text: str) -> Any:
    """The value of a JSON text in which what looks like a date is one, and is written as such again.

    Zeros at the end of its fraction go, and one with an offset is moved to this machine's zone. Raises ValueError.
    """
    return _with_dates(json.loads(text))


def text_of(value: Any) -> str:
    """The text that .NET makes of a value of a JSON text: dates have their American form, True and False capitals."""
    if isinstance(value, str):
        return _american(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004 - .NET switches to 1E+15
        return str(int(value))
    return str(value)


def date_text(moment: datetime) -> str:
    """An aware time as JSON has it: no zeros at the end of its fraction, none at all for whole seconds."""
    text = moment.isoformat(timespec="microseconds")
    return f"{text[:26].rstrip('0').rstrip('.')}{text[26:]}"


def round_trip(moment: datetime) -> str:
    """An aware time as .NET's format `o` writes it: with seven digits of its fraction."""
    text = moment.isoformat(timespec="microseconds")
    return f"{text[:26]}0{text[26:]}"


def compact(value: Any) -> str:
    """JSON as Newtonsoft writes it for programs."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def indented(value: Any) -> str:
    """JSON as Newtonsoft writes it for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _with_dates(value: Any) -> Any:
    if isinstance(value, str):
        return _date(value)
    if isinstance(value, list):
        return [_with_dates(one) for one in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _with_dates(one) for name, one in cast("dict[str, Any]", value).items()}
    return value


def _american(text: str) -> str:
    found = _DATE.match(text)
    moment = _moment(found) if found is not None else None
    return text if moment is None else moment.strftime("%m/%d/%Y %H:%M:%S")


def _date(text: str) -> str:
    found = _DATE.match(text)
    moment = _moment(found) if found is not None else None
    if found is None or moment is None:
        return text
    fraction = (found["fraction"] or "").rstrip("0")
    zone = (found["zone"] or "").upper()
    offset = zone if zone in {"", "Z"} else moment.isoformat()[len(found["moment"]) :]
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + offset


def _moment(found: re.Match[str]) -> datetime | None:
    """The time that the text names, in this machine's zone when it has an offset; None for a day that is none."""
    zone = (found["zone"] or "").upper()
    try:
        moment = datetime.fromisoformat(found["moment"] + zone)
        return moment if zone in {"", "Z"} else moment.astimezone()
    except (ValueError, OverflowError):
        return None
