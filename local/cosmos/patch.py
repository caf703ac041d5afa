"""Partial updates of a document ("Partial document update in Azure Cosmos DB")."""

import copy
from collections.abc import Mapping
from typing import Any

from local.cosmos.errors import BadRequestError, PreconditionFailedError
from local.cosmos.items import Item, Items
from local.cosmos.json_types import is_array, is_object
from local.cosmos.store import Container

_MOST_OPERATIONS = 10
_KINDS = {"add", "set", "replace", "remove", "incr", "move"}


def patch_item(items: Items, partition: str, name: str, body: Any, if_match: str | None) -> Item:
    """Change a document in part. `body` has operations, and may have a condition that the document must fulfil.

    Raises:
        PreconditionFailedError: the etag or the condition does not fit.
    """
    if not is_object(body):
        raise BadRequestError("A patch is an object with operations.")
    item = items.read(partition, name)
    condition: Any = body.get("condition")
    if condition is not None and not items.holds(item, str(condition)):
        raise PreconditionFailedError(1110)
    document = patched(item, body.get("operations"), items.container)
    return items.replace(partition, name, document, if_match)


def patched(item: Item, operations: Any, container: Container) -> dict[str, Any]:
    """The document's content after the operations.

    Raises:
        BadRequestError: an operation is malformed, does not fit the document, or touches what may not change.
    """
    if not is_array(operations) or not operations:
        raise BadRequestError("A patch needs a list of operations.")
    if len(operations) > _MOST_OPERATIONS:
        raise BadRequestError(f"The number of patch operations can't exceed '{_MOST_OPERATIONS}'.")
    document = copy.deepcopy(item.content())
    for operation in operations:
        if not is_object(operation) or operation.get("op") not in _KINDS:
            raise BadRequestError(f"A patch operation has an op: one of {', '.join(sorted(_KINDS))}.")
        _apply(document, operation, container)
    return document


def _apply(document: dict[str, Any], operation: Mapping[str, Any], container: Container) -> None:
    kind, path = operation["op"], _path(operation, "path", container)
    if kind == "move":
        source = _path(operation, "from", container)
        if path[: len(source)] == source:
            raise BadRequestError("A value cannot be moved into itself.")
        _change(document, path, "set", _change(document, source, "remove", None))
        return
    if kind != "remove" and "value" not in operation:
        raise BadRequestError(f"The patch operation {kind!r} needs a value.")
    _change(document, path, kind, operation.get("value"))


def _path(operation: Mapping[str, Any], field: str, container: Container) -> list[str]:
    path = operation.get(field)
    if not isinstance(path, str) or not path.startswith("/") or path == "/":
        raise BadRequestError(f"The {field} of a patch operation begins with a slash and names a property.")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    fixed = [["id"], *container.partition_paths]
    if parts[0].startswith("_") or any(parts == one[: len(parts)] or one == parts[: len(one)] for one in fixed):
        raise BadRequestError(
            f"The path {path!r} cannot be patched: it is the id, the partition key or a system property."
        )
    return parts


def _change(document: dict[str, Any], path: list[str], kind: str, value: Any) -> Any:
    """Carry out one operation; for `remove` the value that was there."""
    target: Any = document
    for name in path[:-1]:
        target = _child(target, name, path)
    return _in_array(target, path, kind, value) if is_array(target) else _in_object(target, path, kind, value)


def _child(target: Any, name: str, path: list[str]) -> Any:
    if is_array(target):
        index = _index(name, len(target) - 1, path)
        return target[index]
    if is_object(target) and name in target:
        return target[name]
    raise _no_such(path)


def _in_object(target: Any, path: list[str], kind: str, value: Any) -> Any:
    if not is_object(target):
        raise _no_such(path)
    name = path[-1]
    if kind in {"replace", "remove"} and name not in target:
        raise _no_such(path)
    if kind == "remove":
        return target.pop(name)
    target[name] = _sum(target.get(name, 0), value, path) if kind == "incr" else value
    return None


def _in_array(target: list[Any], path: list[str], kind: str, value: Any) -> Any:
    if kind == "add":
        target.insert(len(target) if path[-1] == "-" else _index(path[-1], len(target), path), value)
        return None
    index = _index(path[-1], len(target) - 1, path)
    if kind == "remove":
        return target.pop(index)
    target[index] = _sum(target[index], value, path) if kind == "incr" else value
    return None


def _index(text: str, largest: int, path: list[str]) -> int:
    if not text.isdecimal() or int(text) > largest:
        raise _no_such(path)
    return int(text)


def _sum(old: Any, change: Any, path: list[str]) -> float:
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in (old, change)):
        raise BadRequestError(f"The value at /{'/'.join(path)} and the one to add must be numbers.")
    return old + change


def _no_such(path: list[str]) -> BadRequestError:
    return BadRequestError(f"The patch path /{'/'.join(path)} does not exist in the document.")
