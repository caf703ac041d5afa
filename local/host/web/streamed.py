"""HTTP without buffering, for functions that take the request type of an azurefunctions-extensions-http-* package.

Such a function is given the web framework's own request and answers with its own response, each of which may stream.
"""

import contextlib
import importlib
import sys
from typing import Any

from azure.functions import meta
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from local.host.core.errors import HostStopping
from local.host.core.functions import STREAMED
from local.host.core.logs import host_log
from local.host.web.bodies import BodyRefused
from local.host.web.requests import expression_data, query_parameters, trace_of
from local.host.web.routing.route_table import Match
from local.host.worker.calls import HOST_API_REASON, Call
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import FunctionRaised, RunFailed

_BASE = "azurefunctions.extensions.base"
_MATCH = "local.host.match"


class StreamedHttp:
    """Answers requests through the web application of the package, which knows what a function may return."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._base = sys.modules[_BASE]
        web = importlib.import_module(self._base.ModuleTrackerMeta.get_module()).WebApp()

        async def run(request: Any) -> Any:
            return await self._run(request, request.scope[_MATCH])

        run.__annotations__ = {"request": self._base.RequestTrackerMeta.get_request_type()}
        web.route(run)
        self._app = web.get_app()

    async def serve(self, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the function for the request and send what it answers.

        Raises BodyRefused when the body is refused and nothing was answered yet: the function sees the client gone.
        """
        refused: BodyRefused | None = None
        began = False

        async def receive_or_leave() -> Message:
            nonlocal refused
            try:
                return await receive()
            except BodyRefused as error:
                refused = error
                return {"type": "http.disconnect"}

        async def send_unless_refused(message: Message) -> None:
            nonlocal began
            if refused is None or began:
                began = True
                await send(message)

        with contextlib.suppress(_Raised):  # logged by the dispatcher, and answered 500 by the framework
            await self._app({**scope, _MATCH: match}, receive_or_leave, send_unless_refused)
        if refused is not None and not began:
            raise refused

    async def _run(self, request: Any, match: Match) -> Any:
        self._base.RequestTrackerMeta.get_synchronizer().sync_route_params(request, dict(match.parameters))
        function, headers = match.http.function, Headers(scope=request.scope)
        data: dict[str, Any] = {}
        if match.http.has_expressions:
            query = query_parameters(request.scope["query_string"].decode("latin-1"), function.name)
            data = expression_data(headers, query, match.parameters, b"")
        call = Call(HOST_API_REASON, meta.Datum(request, STREAMED), data=data, trace=trace_of(headers))
        try:
            result = await self._dispatcher.run(function, call)
        except HostStopping:
            return PlainTextResponse("Function host is not running.", 503)
        except FunctionRaised as error:
            # As in the worker the framework answers for it: it knows what its own exceptions mean.
            if isinstance(error.error, self._handled):
                raise error.error from None
            raise _Raised from None
        except RunFailed:
            return PlainTextResponse("Internal Server Error", 500)
        answer = result.returned.value if result.returned is not None else None
        if answer is None:
            host_log.error(
                "Function '%s' returned None, which is no answer of a streamed function: as in Azure it is answered "
                "500. Return a response, such as Response(status_code=204).",
                function.name,
            )
            return PlainTextResponse("Internal Server Error", 500)
        return answer

    @property
    def _handled(self) -> tuple[type[Exception], ...]:
        return tuple(one for one in self._app.exception_handlers if isinstance(one, type) and one is not Exception)


class _Raised(Exception):
    """The function raised what the framework has no answer for."""
