"""The durable HTTP API, served twice: as the public webhook and, without a key, for the SDK's client (RPC).

Words of the routes match without case, instance ids with case; whatever does not match is an empty 404, never a 405.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote_plus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send

from local.host.core.logs import host_log
from local.host.durable.management import status
from local.host.durable.management.http_entities import entity_routes
from local.host.durable.management.http_requests import (
    BAD_ARGUMENT,
    CONTINUATION,
    JSON_TYPE,
    WENT_WRONG,
    Handler,
    Refused,
    empty,
    fault,
    flag,
    is_json,
    json_answer,
    own_address,
    parameter,
    parameters,
    read_event,
    read_start,
    seconds,
    time,
    top,
)
from local.host.durable.management.links import WEBHOOK_PATH, Links
from local.host.durable.management.operations import Operations
from local.host.durable.management.queries import Query
from local.host.durable.management.refusals import AlreadyExists, Finished, NotFound, WrongState
from local.host.durable.model import dotnet
from local.host.durable.model.records import COMPLETED, FAILED, STATUSES

WaitFinished = Callable[[str, float], Awaitable[None]]


class HttpApi:
    """The operations as HTTP endpoints. The links that it answers with start at the request's own origin."""

    def __init__(self, operations: Operations, links: Links, wait_finished: WaitFinished) -> None:
        self._operations = operations
        self._links = links
        self._wait_finished = wait_finished
        self._routes: dict[tuple[str, str, int], Handler] = {
            ("POST", "orchestrators", 2): self._start,
            ("POST", "orchestrators", 3): self._start,
            ("GET", "instances", 1): self._list,
            ("DELETE", "instances", 1): self._purge_by,
            ("GET", "instances", 2): self._status,
            ("DELETE", "instances", 2): self._purge,
            ("POST", "instances", 3): self._operate,
            ("POST", "instances", 4): self._raise,
            ("POST", "makeprimary", 1): self._make_primary,
            **entity_routes(operations),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        # As .NET's WebUtility.UrlDecode: a plus is a space, and an encoded slash parts the path like any other.
        path = unquote_plus(request.scope["raw_path"].decode("latin-1"))
        parts = path.removeprefix(request.scope.get("root_path", "")).strip("/").split("/")
        method = request.method
        handler = self._routes.get((method, parts[0].lower(), len(parts)))
        if handler is None:
            return empty(404)
        try:
            return await handler(request, parts)
        except Refused as refused:
            return refused.response
        except NotFound:
            return empty(404)
        except Finished:
            return empty(410)

    async def _make_primary(self, request: Request, parts: list[str]) -> Response:  # noqa: ARG002 - one signature for all routes
        return empty(200)

    # -- starting

    def _started(self, request: Request, instance_id: str) -> Response:
        base_url = f"{request.url.scheme}://{request.url.netloc}{WEBHOOK_PATH}"
        links = self._links.instance(base_url, instance_id)
        headers = {"Location": links["statusQueryGetUri"], "Retry-After": "10"}
        return json_answer({"id": instance_id, **links}, 202, headers)

    async def _start(self, request: Request, parts: list[str]) -> Response:
        name, instance_id = parts[1], (parts[2:] or [None])[0]
        body = (await request.body()).decode("utf-8", "replace")
        input_text = dotnet.to_json(read_start(body)) if body.strip() else None
        try:
            started = self._operations.start(name, input_text, instance_id, parameter(request, "version"))
        except AlreadyExists as present:
            return json_answer({"Message": str(present)}, 409)
        return await self._wait(request, started)

    async def _wait(self, request: Request, instance_id: str) -> Response:
        """The links of what was started; with `timeout` and `pollingInterval`, how it ended within that time."""
        timeout, interval = seconds(request, "timeout"), seconds(request, "pollingInterval")
        if timeout is None or interval is None:
            return self._started(request, instance_id)
        if interval > timeout:
            message = f"Total timeout {timeout:g} should be bigger than retry timeout {interval:g}"
            return json_answer({"Message": message}, 400)
        await self._wait_finished(instance_id, timeout)
        instance = self._operations.status(instance_id)
        if instance.status == COMPLETED:
            return Response(instance.output or "null", 200, media_type=JSON_TYPE)
        if instance.finished:
            return json_answer(status.shown(instance, show_input=True, history=None, show_output=False))
        return self._started(request, instance_id)

    # -- one instance

    async def _status(self, request: Request, parts: list[str]) -> Response:
        instance = self._operations.status(parts[1])
        history = self._operations.history(instance) if flag(request, "showHistory") else None
        try:
            body = status.shown(
                instance,
                show_input=flag(request, "showInput", default=True),
                history=history,
                show_output=flag(request, "showHistoryOutput"),
            )
        except status.HistoryUnreadable as error:
            return fault(400, BAD_ARGUMENT, str(error), "System.ArgumentException")
        if not instance.finished:
            return json_answer(body, 202, {"Location": own_address(request), "Retry-After": "5"})
        failed = instance.status == FAILED and flag(request, "returnInternalServerErrorOnFailure")
        return json_answer(body, 500 if failed else 200)

    async def _operate(self, request: Request, parts: list[str]) -> Response:
        instance_id, operation = parts[1], parts[2].lower()
        reason = parameter(request, "reason")
        try:
            if operation == "terminate":
                self._operations.terminate(instance_id, reason)
            elif operation == "suspend":
                self._operations.suspend(instance_id, reason)
            elif operation == "resume":
                self._operations.resume(instance_id, reason)
            elif operation == "rewind":
                return self._rewind(instance_id, reason)
            elif operation == "restart":
                return await self._restart(request, instance_id)
            else:
                return empty(404)
        except WrongState as error:
            host_log.warning("%s: %s The answer is 500, as in Azure.", instance_id, error)
            return fault(500, WENT_WRONG, str(error), "System.InvalidOperationException")
        return empty(202)

    def _rewind(self, instance_id: str, reason: str | None) -> Response:
        try:
            self._operations.rewind(instance_id, reason)
        except WrongState as error:
            return json_answer(str(error), 412)
        except NotFound:
            return json_answer(f'No orchestration with instance ID "${instance_id}" found.', 404)
        return empty(202)

    async def _restart(self, request: Request, instance_id: str) -> Response:
        new_id = flag(request, "restartWithNewInstanceId", default=True)
        try:
            started = self._operations.restart(instance_id, new_id=new_id)
        except NotFound:
            text = f"No instance with ID '{instance_id}' was found. (Parameter 'instanceId')"
            message = "InstanceId does not match a valid orchestration instance."
            return fault(400, message, text, "System.ArgumentException")
        except AlreadyExists as present:
            message = "A non-terminal instance with this instance ID already exists."
            kind = "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException"
            return fault(409, message, str(present), kind)
        return await self._wait(request, started)

    async def _raise(self, request: Request, parts: list[str]) -> Response:
        _, instance_id, word, name = parts
        if word.lower() != "raiseevent":
            return empty(404)
        self._operations.check_running(instance_id)
        if not is_json(request):
            return json_answer({"Message": "Only application/json request content is supported"}, 400)
        body = (await request.body()).decode("utf-8", "replace")
        self._operations.raise_event(instance_id, name, dotnet.to_json(read_event(body)))
        return empty(202)

    async def _purge(self, request: Request, parts: list[str]) -> Response:  # noqa: ARG002 - one signature for all routes
        try:
            self._operations.purge(parts[1])
        except WrongState as error:
            return json_answer(str(error), 412)
        return json_answer({"instancesDeleted": 1})

    # -- many instances

    def _query(self, request: Request) -> Query:
        words = ",".join(parameters(request, "runtimeStatus")).split(",")
        return Query(
            created_from=time(request, "createdTimeFrom"),
            created_to=time(request, "createdTimeTo"),
            statuses=STATUSES.intersection(word.strip() for word in words),
            prefix=parameter(request, "instanceIdPrefix") or "",
        )

    async def _purge_by(self, request: Request, parts: list[str]) -> Response:  # noqa: ARG002 - one signature for all routes
        query = self._query(request)
        if query.created_from is None:
            return json_answer("Please provide value for 'createdTimeFrom' parameter.", 400)
        deleted = self._operations.purge_by(query)
        return json_answer({"instancesDeleted": deleted}) if deleted else empty(404)

    async def _list(self, request: Request, parts: list[str]) -> Response:  # noqa: ARG002 - one signature for all routes
        query, show_input = self._query(request), flag(request, "showInput", default=True)
        found, token = self._operations.page(query.matches, top(request), request.headers.get(CONTINUATION))
        shown = [status.shown(one, show_input=show_input, history=None, show_output=False) for one in found]
        return json_answer(shown, 200, {CONTINUATION: token} if token else None)


def application(api: HttpApi, *prefixes: str) -> Starlette:
    """The API as an application, below each of the prefixes and at the root."""
    routes: list[BaseRoute] = [Mount(prefix, app=api) for prefix in prefixes]
    return Starlette(routes=[*routes, Mount("/", app=api)])
