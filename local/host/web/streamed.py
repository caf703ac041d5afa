"""HTTP without buffering, for functions that take the request type of an azurefunctions-extensions-http-* package.

Such a function is given the web framework's own request and answers with its own response, each of which may stream.
"""

import importlib
import sys
from collections.abc import Mapping
from typing import Any

from azure.functions import meta
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from local.host.core.errors import HostStopping
from local.host.core.functions import STREAMED, Function
from local.host.worker.calls import HOST_API_REASON, Call
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import RunFailed

_BASE = "azurefunctions.extensions.base"
_RUN = "local.host.run"


class StreamedHttp:
    """Answers requests through the web application of the package, which knows what a function may return."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._base = sys.modules[_BASE]
        web = importlib.import_module(self._base.ModuleTrackerMeta.get_module()).WebApp()

        async def run(request: Any) -> Any:
            return await self._run(request, *request.scope[_RUN])

        run.__annotations__ = {"request": self._base.RequestTrackerMeta.get_request_type()}
        web.route(run)
        self._app = web.get_app()

    async def serve(
        self, function: Function, parameters: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Run the function for the request and send what it answers."""
        await self._app({**scope, _RUN: (function, parameters)}, receive, send)

    async def _run(self, request: Any, function: Function, parameters: Mapping[str, str]) -> Any:
        self._base.RequestTrackerMeta.get_synchronizer().sync_route_params(request, dict(parameters))
        call = Call(HOST_API_REASON, meta.Datum(request, STREAMED), data=parameters)
        try:
            result = await self._dispatcher.run(function, call)
        except HostStopping:
            return PlainTextResponse("Function host is not running.", 503)
        except RunFailed:
            return PlainTextResponse("Internal Server Error", 500)
        return result.returned.value if result.returned is not None else None
