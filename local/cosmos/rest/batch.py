"""Transactional batches: up to 100 operations on one partition, all or none."""

from typing import Any

from local.cosmos.errors import BadRequestError, CosmosError
from local.cosmos.items import Item, Items
from local.cosmos.json_types import is_array, is_object
from local.cosmos.patch import patch_item
from local.cosmos.store import Store

_MOST_OPERATIONS = 100
_FAILED_DEPENDENCY = {"statusCode": 424, "requestCharge": 0}


class _RolledBack(Exception):
    def __init__(self, position: int, problem: CosmosError) -> None:
        super().__init__()
        self.position = position
        self.problem = problem


def execute(store: Store, items: Items, partition: str, operations: Any) -> tuple[int, list[dict[str, Any]]]:
    """The status of the whole and the result of each operation: 200, or 207 with nothing done.

    Raises:
        BadRequestError: these are no operations, or too many.
    """
    if not is_array(operations) or not operations:
        raise BadRequestError("A batch is a list of operations.")
    count = len(operations)
    if count > _MOST_OPERATIONS:
        raise BadRequestError("Batch request has more operations than what is supported.")
    results: list[dict[str, Any]] = []
    try:
        with store.transaction():
            for position, operation in enumerate(operations):
                try:
                    status, item = _one(items, partition, operation)
                except CosmosError as problem:
                    raise _RolledBack(position, problem) from problem
                results.append(_result(status, item))
    except _RolledBack as end:
        failed = {"statusCode": end.problem.status, "requestCharge": 1, "message": end.problem.message}
        return 207, [failed if position == end.position else _FAILED_DEPENDENCY for position in range(count)]
    return 200, results


def _result(status: int, item: Item | None) -> dict[str, Any]:
    result: dict[str, Any] = {"statusCode": status, "requestCharge": 1}
    return result if item is None else result | {"eTag": item.etag, "resourceBody": item.document}


def _one(items: Items, partition: str, operation: Any) -> tuple[int, Item | None]:
    if not is_object(operation):
        raise BadRequestError("A batch operation is an object.")
    kind, if_match = operation.get("operationType"), operation.get("ifMatch")
    if kind == "Create":
        return 201, items.create(partition, _document(operation))
    if kind == "Upsert":
        item, created = items.upsert(partition, _document(operation), if_match)
        return 201 if created else 200, item
    if kind == "Delete":
        items.delete(partition, str(operation.get("id")), if_match)
        return 204, None
    return 200, _existing(items, partition, operation)


def _existing(items: Items, partition: str, operation: dict[str, Any]) -> Item:
    kind, name, if_match = operation.get("operationType"), str(operation.get("id")), operation.get("ifMatch")
    if kind == "Read":
        return items.read(partition, name)
    if kind == "Replace":
        return items.replace(partition, name, _document(operation), if_match)
    if kind == "Patch":
        return patch_item(items, partition, name, _document(operation), if_match)
    raise BadRequestError(f"The batch operation {kind!r} is unknown.")


def _document(operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("resourceBody")
    if not is_object(body):
        raise BadRequestError(f"The batch operation {operation.get('operationType')} needs a resourceBody.")
    return body
