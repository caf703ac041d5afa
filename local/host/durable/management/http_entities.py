"""The management API's endpoints for entities."""

from starlette.requests import Request
from starlette.responses import Response

from local.host.durable.management import status
from local.host.durable.management.http_requests import (
    CONTINUATION,
    JSON_TYPE,
    Handler,
    empty,
    flag,
    is_json,
    json_answer,
    parameter,
    read_operation,
    time,
    top,
)
from local.host.durable.management.operations import Operations
from local.host.durable.management.refusals import UnknownEntity
from local.host.durable.model import dotnet, entities
from local.host.durable.model.records import Instance


def entity_routes(operations: Operations) -> dict[tuple[str, str, int], Handler]:
    """The endpoints by method, first part of the path and number of parts."""
    endpoints = _Entities(operations)
    signals = {(method, "entities", parts): endpoints.signal for method in ("POST", "DELETE") for parts in (1, 2, 3)}
    return {
        ("GET", "entities", 1): endpoints.list_all,
        ("GET", "entities", 2): endpoints.list_all,
        ("GET", "entities", 3): endpoints.state,
        **signals,
    }


class _Entities:
    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def list_all(self, request: Request, parts: list[str]) -> Response:
        name = (parts[1:] or [""])[0]
        fetch_state = flag(request, "fetchState")
        first, last = time(request, "lastOperationTimeFrom"), time(request, "lastOperationTimeTo")
        prefix = f"@{name.lower()}@" if name else "@"

        def matches(instance: Instance) -> bool:
            if not instance.is_entity or not instance.instance_id.startswith(prefix):
                return False
            # Without the state, only entities that exist are listed; with it, those that merely ran as well.
            if not fetch_state and not entities.state_of(instance)[0]:
                return False
            at = dotnet.parse_time(instance.updated)
            return (first is None or at >= first) and (last is None or at <= last)

        found, token = self._operations.page(matches, top(request), request.headers.get(CONTINUATION))
        shown = [status.shown_entity(one, fetch_state=fetch_state) for one in found]
        return json_answer(shown, 200, {CONTINUATION: token} if token else None)

    async def state(self, request: Request, parts: list[str]) -> Response:  # noqa: ARG002 - one signature for all routes
        state = self._operations.entity_state(parts[1], "" if parts[2] == "$" else parts[2])
        return Response(state or "null", 200, media_type=JSON_TYPE)

    async def signal(self, request: Request, parts: list[str]) -> Response:
        if len(parts) == 1:
            message = "Invalid entity id: entity name must not be a null or empty string. (Parameter 'entityName')"
            return json_answer({"Message": message}, 400)
        name, key = parts[1], (parts[2:] or [""])[0]
        operation = "delete" if request.method == "DELETE" else parameter(request, "op") or ""
        body = (await request.body()).decode("utf-8", "replace")
        input_text: str | None = None
        if body and request.method == "POST":
            input_text = dotnet.to_json(read_operation(body) if is_json(request) else body)
        try:
            self._operations.signal_entity(name, key, operation, input_text)
        except UnknownEntity as error:
            return json_answer({"Message": str(error)}, 400)
        return empty(202)
