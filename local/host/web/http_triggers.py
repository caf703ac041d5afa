"""HTTP triggers: whether a request may run its function, what the function is given and what is answered."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from azure.functions import meta
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from local.host.core.errors import HostStopping
from local.host.core.functions import Function
from local.host.core.logs import host_log, warn_once
from local.host.web.answers import Answer, answer_of, send_answer
from local.host.web.keys import KeyStore
from local.host.web.requests import (
    expression_data,
    offered_key,
    query_parameters,
    read_body,
    request_datum,
    trace_of,
)
from local.host.web.routing.route_table import HttpFunction, Match
from local.host.worker.calls import HOST_API_REASON, Call
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import RunFailed

if TYPE_CHECKING:
    from local.host.web.streamed import StreamedHttp


class HttpTriggers:
    """Runs HTTP functions for requests."""

    def __init__(self, dispatcher: Dispatcher, keys: KeyStore, *, enable_auth: bool) -> None:
        self._dispatcher = dispatcher
        self._keys = keys
        self._enable_auth = enable_auth
        self._streamed: StreamedHttp | None = None

    async def run(self, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the function that the request is for, if the request may, and send what it answers."""
        one = match.http
        headers = Headers(scope=scope)
        if not self._admitted(one, headers, scope):
            await send_answer(Answer(401), send)
        elif one.function.disabled and not self._may_run_disabled(one, headers, scope):
            await send_answer(Answer(404), send)
        elif one.function.is_streamed:
            from local.host.web.streamed import StreamedHttp  # noqa: PLC0415 - few apps stream

            self._streamed = self._streamed or StreamedHttp(self._dispatcher)
            await self._streamed.serve(match, scope, receive, send)
        else:
            await send_answer(await self._invoke(match, headers, scope, receive), send)

    def _admitted(self, one: HttpFunction, headers: Headers, scope: Scope) -> bool:
        if not self._enable_auth or one.level == "anonymous":
            return True
        key = offered_key(headers, scope)
        if one.level == "admin":
            return self._keys.opens_admin(key)
        return self._keys.opens_function(key, one.function.name)

    def _may_run_disabled(self, one: HttpFunction, headers: Headers, scope: Scope) -> bool:
        """Admins may run what is switched off, and without keys everyone is one; who needs no key is never asked."""
        if one.level == "anonymous":
            return False
        return not self._enable_auth or self._keys.opens_admin(offered_key(headers, scope))

    async def _invoke(self, match: Match, headers: Headers, scope: Scope, receive: Receive) -> Answer:
        one, parameters = match.http, match.parameters
        name = one.function.name
        body = await read_body(headers, receive, name)
        query = query_parameters(scope["query_string"].decode("latin-1"), name)
        request = request_datum(scope, match.path, headers, query=query, parameters=parameters, body=body)
        call = Call(
            reason=HOST_API_REASON,
            value=meta.Datum(request, "http"),
            data=expression_data(headers, query, parameters, body) if one.has_expressions else {},
            trace=trace_of(headers),
        )
        try:
            result = await self._dispatcher.run(one.function, call)
        except HostStopping:
            return Answer(503, [("content-type", "text/plain")], b"Function host is not running.")
        except RunFailed:
            return Answer(500)
        try:
            answer = answer_of(_http_result(one.function, result.returned, result.outputs))
        except ValueError as error:
            host_log.error("Function '%s' cannot be answered for: %s", name, error)
            return Answer(500)
        if answer.warning:
            warn_once("Function '%s' %s", name, answer.warning)
        return answer


def _http_result(
    function: Function, returned: meta.Datum | None, outputs: Mapping[str, meta.Datum]
) -> meta.Datum | None:
    """The HTTP output; where none was set, the host answers with what the function returned for another output."""
    names = [one.name for one in function.bindings if one.type == "http" and one.direction == "out"]
    return next((outputs[name] for name in names if name in outputs), returned)
