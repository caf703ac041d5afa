"""Rows of a table as the extension turns them into JSON, and JSON into rows."""

import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from azure.data.tables import EdmType, EntityProperty, TableEntity
from azure.functions import meta

from local.host.core.newtonsoft import compact, indented, read_text

# What an entity carries beside its own properties.
_LEFT_OUT = {"odata.etag", "timestamp"}
_KEYS = {"partitionkey": "PartitionKey", "rowkey": "RowKey", "etag": "ETag"}
_NO_KEY = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1


def shown(entity: TableEntity) -> dict[str, Any]:
    """The entity as an input binding shows it: without its Timestamp and its ETag."""
    items = cast("Mapping[str, Any]", entity).items()
    return {name: _shown(value) for name, value in items if name.lower() not in _LEFT_OUT}


def entities_of(value: meta.Datum) -> list[dict[str, Any]]:
    """The entities of an output value: an object, or an array of objects. Raises ValueError for anything else."""
    parsed: Any = value.value
    if value.type in {"string", "json", "bytes"}:
        try:
            parsed = read_text(str(parsed)) if value.type == "string" else json.loads(parsed)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"A row of a table is a JSON object, or an array of them; this is no JSON: {error}"
            ) from error
    # Bytes are one row, whatever they hold.
    several = isinstance(parsed, list) and value.type != "bytes"
    rows = cast("list[Any]", parsed if several else [parsed])
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError(f"A row of a table is a JSON object, and {compact(row)[:100]} is none.")  # noqa: TRY004 - one error type for callers
    return cast("list[dict[str, Any]]", rows)


def stored(row: Mapping[str, Any], partition_key: str | None, row_key: str | None) -> tuple[dict[str, Any], str]:
    """The entity that the service is sent, and the ETag that the row names (empty for a new one).

    Keys of the binding count where the row has none. Raises ValueError for a key that is missing or cannot be one, and
    for a number that no table holds.
    """
    entity: dict[str, Any] = {}
    for name, value in row.items():
        if value is not None:
            entity[_KEYS.get(name.lower(), name)] = _stored(name, value)
    for name, given in (("PartitionKey", partition_key), ("RowKey", row_key)):
        key: Any = entity.setdefault(name, given)
        if not isinstance(key, str) or _NO_KEY.search(key):
            raise ValueError(
                f"'{'' if key is None else key}' is not a valid value for a partition key or row key. Ensure that the "
                "table entity contains valid 'PartitionKey' and 'RowKey' values: texts without / \\ # ? and control "
                "characters."
            )
    return entity, str(entity.pop("ETag", ""))


def _shown(value: Any) -> Any:
    if isinstance(value, EntityProperty):
        return _shown(value.value)
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%dT%H:%M:%S")
        fraction = f".{value.microsecond:06}".rstrip("0") if value.microsecond else ""
        return f"{text}{fraction}+00:00"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value


def _stored(name: str, value: Any) -> Any:
    if isinstance(value, (bool, str, float)):
        return value
    if isinstance(value, int):
        if not _SMALLEST <= value <= _LARGEST:
            raise ValueError(f"The property '{name}' is a number that no table holds: {value}. Send it as text.")
        return EntityProperty(value, EdmType.INT64)
    return indented(value)
