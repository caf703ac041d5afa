"""Event Grid's webhook: the handshakes of its two schemas, and a run for each event that it brings."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from urllib.parse import parse_qs

from azure.functions import meta
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from local.host.core.errors import HostStopping
from local.host.core.functions import EVENT_GRID, Function, FunctionTable
from local.host.core.logs import host_log
from local.host.core.newtonsoft import compact, round_trip
from local.host.web.answers import Answer, send_answer
from local.host.web.bodies import whole_body
from local.host.worker.calls import Call
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import RunFailed
from local.host.worker.messages import metadata_data

WEBHOOK = "eventgrid"
"""Its name under /runtime/webhooks."""

_ORIGIN = "eventgrid.azure.net"
_ORIGINS = {_ORIGIN, "eventgrid.azure.us", "eventgrid.azure.eaglex.ic.gov", "eventgrid.azure.microsoft.scloud",
            "eventgrid.azure.cn"}  # fmt: skip


class EventGridWebhook:
    """An ASGI application that runs the functions with an Event Grid trigger."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._functions: dict[str, Function] = {}

    def load(self, table: FunctionTable) -> None:
        """Take the enabled functions of a table."""
        self._functions = {one.name: one for one in table.of_type(EVENT_GRID)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await send_answer(await self._answer(scope, receive), send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        name = parse_qs(scope["query_string"].decode("latin-1")).get("functionName", [""])[0]
        function = self._functions.get(name)
        if function is None:
            known = ", ".join(self._functions) or "none"
            host_log.warning("Event Grid: cannot find function: '%s', available function names: [%s]", name, known)
            return _text(404, f"cannot find function: '{name}'")
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS":  # the handshake of CloudEvents
            origin = headers.get("webhook-request-origin", "")
            return Answer(200, [("webhook-allowed-origin", origin if origin in _ORIGINS else _ORIGIN)])
        kind = headers.get("aeg-event-type", "").lower()
        if kind in {"notification", "subscriptionvalidation"}:
            try:
                events = _events(await whole_body(receive))
                return await self._run(function, events) if kind == "notification" else _handshake(events)
            except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
                host_log.error("Event Grid: a request for '%s' cannot be read, and Azure answers 500: %s", name, error)
                return Answer(500)
        if kind != "unsubscribe":
            host_log.warning(
                "Event Grid: the header aeg-event-type of a request for '%s' is %r: 400. Event Grid sends Notification "
                "with events and SubscriptionValidation with its handshake.",
                name,
                kind,
            )
        return Answer(202 if kind == "unsubscribe" else 400)

    async def _run(self, function: Function, events: Sequence[Any]) -> Answer:
        """Run the function once for each event, all at once. One that fails makes Event Grid send them all again."""
        calls = [_call(function, event) for event in events]
        ended = await asyncio.gather(*(self._dispatcher.run(function, call) for call in calls), return_exceptions=True)
        for one in ended:
            if isinstance(one, HostStopping):
                return _text(503, "Function host is not running.")
            if isinstance(one, RunFailed):
                return _text(500, f"Exception while executing function: Functions.{function.name}")
            if isinstance(one, BaseException):
                raise one
        return Answer(202)


def manual_call(function: Function, text: str, reason: str) -> Call:
    """What a run by hand is given: this event. Raises ValueError when the text is no JSON object."""
    return _call(function, json.loads(text), reason)


def _call(function: Function, event: Any, reason: str = "") -> Call:
    if not isinstance(event, dict):
        raise ValueError(f"an event of '{function.name}' is a JSON object, and {compact(event)[:100]} is none.")  # noqa: TRY004 - one error type for callers
    data = {"data": cast("dict[str, Any]", event).get("data")}
    fired = f"EventGrid trigger fired at {round_trip(datetime.now().astimezone())}"
    return Call(reason or fired, meta.Datum(compact(event), "json"), metadata_data(data), data)


def _events(body: bytes) -> Sequence[Any]:
    parsed: Any = json.loads(body)
    if isinstance(parsed, (list, dict)):
        return cast("list[Any]", parsed if isinstance(parsed, list) else [parsed])
    raise ValueError("the request content should be parseable into a JSON object or array.")


def _handshake(events: Sequence[Any]) -> Answer:
    data: Any = events[0]["data"]
    if isinstance(data, str):  # in the CloudEvents schema it is JSON text
        data = json.loads(data)
    return _text(200, compact({"validationResponse": str(data["validationCode"])}))


def _text(status: int, text: str) -> Answer:
    return Answer(status, [("content-type", "text/plain; charset=utf-8")], text.encode())
