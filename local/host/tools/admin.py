"""The admin endpoints of the Functions host, and what this host's own page shows beside them."""

import asyncio
import contextlib
import os
import platform
import time
import uuid
from pathlib import Path
from typing import Any, cast

from azure.functions import meta
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from local.host.core.errors import HostStopping
from local.host.core.functions import Function, FunctionError
from local.host.core.tasks import start_task
from local.host.running import RunningApp
from local.host.tools.manual import run_by_hand
from local.host.web.keys import MASTER
from local.host.worker.calls import HOST_API_REASON, Call
from local.host.worker.failures import RunFailed

PAGE = Path(__file__).parent / "page" / "index.html"
# So many orchestrations and entities are listed on the page, the newest.
_LISTED = 50
_RUNTIME_VERSION = "4.1038.0.0"


class Admin:
    """Everything under /admin. The key has been checked; `ping` and the page need none."""

    def __init__(self, app: RunningApp) -> None:
        self._app = app
        self._started = time.monotonic()
        self._instance = str(uuid.uuid4())
        self._tasks: set[asyncio.Task[None]] = set()
        self._warm = False
        self.router = Router(
            [
                Route("/admin/host/ping", _empty, methods=["GET", "POST"]),
                Route("/admin/host/page", _page),
                Route("/admin/host/status", self._status),
                Route("/admin/warmup", self._warm_up, methods=["GET", "POST"]),
                Route("/admin/host/invocations", self._invocations),
                Route("/admin/host/orchestrations", self._orchestrations),
                Route("/admin/host/entities", self._entities),
                Route("/admin/host/instances/{instance:path}", self._instance_details),
                Route("/admin/host/diagnosis/{instance:path}", self._diagnosis),
                Route("/admin/host/keys", self._host_keys),
                Route("/admin/host/keys/{name}", self._host_key),
                Route("/admin/host/functionkeys", self._host_keys),
                Route("/admin/host/systemkeys", self._system_keys),
                Route("/admin/functions", self._functions),
                Route("/admin/functions/{name}", self._function, methods=["GET"]),
                Route("/admin/functions/{name}", self._run, methods=["POST"]),
                Route("/admin/functions/{name}/status", self._function_status),
                Route("/admin/functions/{name}/keys", self._function_keys),
            ],
            default=_not_found,
        )

    async def _status(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        app = self._app
        errors = [app.table.failure] if app.table.failure is not None else []
        status: dict[str, Any] = {
            "id": f"{platform.node()}-{os.getpid()}".lower()[:32],
            "state": "Error" if errors else "Running",
            "version": _RUNTIME_VERSION,
            "versionDetails": _RUNTIME_VERSION,
            "platformVersion": "",
            "instanceId": self._instance,
            "computerName": platform.node(),
            "processUptime": int((time.monotonic() - self._started) * 1000),
            "functionAppContentEditingState": "Unknown",
        }
        if errors:
            status["errors"] = errors
        if app.table.errors:
            # Not Azure's: this host's page shows it.
            status["functionErrors"] = {one.name: one.reason for one in app.table.errors}
        bundle = app.host_json.section("extensionBundle")
        if bundle:
            status["extensionBundle"] = {"id": bundle.get("id"), "version": bundle.get("version")}
        return JSONResponse(status)

    async def _warm_up(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        """Run the warm-up function, once in the life of this host; answered when it has ended."""
        functions = [] if self._warm else self._app.table.of_type("warmupTrigger")
        self._warm = True
        for function in functions:
            with contextlib.suppress(RunFailed, HostStopping):  # logged by the dispatcher
                await self._app.dispatcher.run(function, Call(HOST_API_REASON, meta.Datum("{}", "json")))
        return Response(status_code=200)

    async def _functions(self, request: Request) -> Response:
        functions = sorted(self._app.table.functions.values(), key=lambda one: one.name.lower())
        return JSONResponse([self._describe(one, _origin(request)) for one in functions])

    async def _function(self, request: Request) -> Response:
        function = self._app.table.find(request.path_params["name"])
        if function is None:
            return Response(status_code=404)
        return JSONResponse(self._describe(function, _origin(request)))

    async def _run(self, request: Request) -> Response:
        function = self._app.table.find(request.path_params["name"])
        if function is None:
            return Response(status_code=404)
        try:
            body: Any = await request.json()
        except ValueError:
            return Response(status_code=400)
        if not isinstance(body, dict):
            return Response(status_code=400)
        value = cast("dict[str, Any]", body).get("input")
        if isinstance(value, (dict, list)):
            return Response(status_code=400)
        task = start_task(
            run_by_hand(self._app, function, "" if value is None else str(value)), f"run {function.name} by hand"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Response(status_code=202)

    async def _function_status(self, request: Request) -> Response:
        name = request.path_params["name"]
        error = _error_of(self._app.table.errors, name)
        if error is not None:
            return JSONResponse({"errors": [error.reason]})
        return JSONResponse({}) if self._app.table.find(name) is not None else Response(status_code=404)

    async def _host_keys(self, request: Request) -> Response:
        return _keys(request, self._app.keys.host_keys())

    async def _host_key(self, request: Request) -> Response:
        name = request.path_params["name"]
        value = self._app.keys.master if name == MASTER else self._app.keys.host_keys().get(name)
        return Response(status_code=404) if value is None else JSONResponse({"name": name, "value": value})

    async def _system_keys(self, request: Request) -> Response:
        return _keys(request, self._app.keys.system_keys())

    async def _function_keys(self, request: Request) -> Response:
        function = self._app.table.find(request.path_params["name"])
        if function is None:
            return Response(status_code=404)
        return _keys(request, self._app.keys.function_keys(function.name))

    async def _invocations(self, request: Request) -> Response:
        function = request.query_params.get("function")
        instance = request.query_params.get("instance")
        found = [
            {
                "id": one.id,
                "function": one.function,
                "instanceId": one.instance_id,
                "reason": one.reason,
                "started": one.started.isoformat(),
                "durationMs": one.duration_ms,
                "outcome": one.outcome,
                "error": one.error,
            }
            for one in self._app.dispatcher.recent
            if (function is None or one.function == function) and (instance is None or one.instance_id == instance)
        ]
        return JSONResponse(found)

    async def _diagnosis(self, request: Request) -> Response:
        extension = self._app.extension
        instance = request.path_params["instance"]
        return JSONResponse(extension.diagnosis(instance) if extension is not None else [])

    async def _orchestrations(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        extension = self._app.extension
        return JSONResponse(extension.newest(_LISTED, entities=False) if extension is not None else [])

    async def _entities(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        extension = self._app.extension
        return JSONResponse(extension.newest(_LISTED, entities=True) if extension is not None else [])

    async def _instance_details(self, request: Request) -> Response:
        extension = self._app.extension
        found = extension.details(request.path_params["instance"]) if extension is not None else None
        return Response(status_code=404) if found is None else JSONResponse(found)

    def _describe(self, function: Function, origin: str) -> dict[str, Any]:
        found = next((one for one in self._app.routes.functions if one.function.name == function.name), None)
        return {
            "name": function.name,
            # A function of the v2 model has no folder of its own.
            "script_root_path_href": None,
            "script_href": f"{origin}/admin/vfs/{function.script_file}",
            "config_href": None,
            "test_data_href": None,
            "href": f"{origin}/admin/functions/{function.name}",
            "invoke_url_template": found.url(origin).lower() if found is not None else None,
            "language": "python",
            "config": {
                "name": function.name,
                "entryPoint": function.name,
                "scriptFile": function.script_file,
                "language": "python",
                "functionDirectory": str(self._app.options.app),
                "bindings": [one.fields for one in function.bindings],
            },
            "files": None,
            "test_data": None,
            "isDisabled": function.disabled,
            "isDirect": False,
            "isProxy": False,
        }


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """This host's page, as an ASGI application."""
    await FileResponse(PAGE, media_type="text/html", headers={"Cache-Control": "no-store"})(scope, receive, send)


async def _page(request: Request) -> Response:  # noqa: ARG001 - the page is the same for all
    return FileResponse(PAGE, media_type="text/html", headers={"Cache-Control": "no-store"})


async def _empty(request: Request) -> Response:  # noqa: ARG001 - nothing of it matters
    return Response(status_code=200)


async def _not_found(scope: Any, receive: Any, send: Any) -> None:
    await Response(status_code=404)(scope, receive, send)


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _keys(request: Request, keys: dict[str, str]) -> Response:
    listed = [{"name": name, "value": value} for name, value in keys.items()]
    return JSONResponse({"keys": listed, "links": [{"rel": "self", "href": str(request.url)}]})


def _error_of(errors: list[FunctionError], name: str) -> FunctionError | None:
    return next((one for one in errors if one.name.lower() == name.lower()), None)
