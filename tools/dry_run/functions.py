"""Bicep's own functions, as far as infra/bicep uses them; those that depend on the place are in `deployment`."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def shown(value: Any) -> str:
    """A value as it stands in a text."""
    return value if isinstance(value, str) else json.dumps(value)


def _concat(*lists: list[Any]) -> list[Any]:
    return [item for one in lists for item in one]


def _date_time_add(base: str, duration: str) -> str:
    """The one duration in use is a year."""
    if duration != "P1Y":
        raise NotImplementedError(f"dateTimeAdd of {duration} is not evaluated.")
    moment = datetime.fromisoformat(base)
    return moment.replace(year=moment.year + 1, day=min(moment.day, 28)).isoformat()


def _date_time_to_epoch(written: str) -> int:
    return int(datetime.fromisoformat(written).timestamp())


def _empty(value: Any) -> bool:
    return not value


def _guid(*parts: str) -> str:
    """Not Azure's own, but like it the same for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\0".join(parts)))


def _items(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": value[name]} for name in sorted(value)]


def _join(values: list[Any], separator: str) -> str:
    return separator.join(shown(value) for value in values)


def _replace(value: str, old: str, new: str) -> str:
    return value.replace(old, new)


def _split(value: str, separator: str) -> list[str]:
    return value.split(separator)


def _union(*values: Any) -> Any:
    if isinstance(values[0], list):
        return list(dict.fromkeys(_concat(*values)))
    merged: dict[str, Any] = {}
    for value in values:
        merged |= value
    return merged


def _unique_string(*parts: str) -> str:
    """Not Azure's own, but like it thirteen characters that are the same for the same parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:13]


def _uri(base: str, path: str) -> str:
    return f"{base.rstrip('/')}/{path.lstrip('/')}"


def _uri_component(text: str) -> str:
    return quote(text, safe="")


def utc_now(form: str = "") -> str:
    """The time, or with the one form in use the first of the month."""
    return datetime.now(UTC).strftime("%Y-%m-01") if form == "yyyy-MM-01" else datetime.now(UTC).isoformat()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": _concat,
    "dateTimeAdd": _date_time_add,
    "dateTimeToEpoch": _date_time_to_epoch,
    "empty": _empty,
    "guid": _guid,
    "items": _items,
    "join": _join,
    "json": json.loads,
    "length": len,
    "replace": _replace,
    "split": _split,
    "string": shown,
    "toLower": str.lower,
    "union": _union,
    "uniqueString": _unique_string,
    "uri": _uri,
    "uriComponent": _uri_component,
    "utcNow": utc_now,
}
