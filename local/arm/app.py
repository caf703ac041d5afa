"""The stand-in as one ASGI app: the resource manager with its blobs, identity and vault, and the deployed apps."""

from __future__ import annotations

import hmac
import json
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.arm import identity, registry, vault
from local.arm.actions import needed, type_of
from local.arm.cloud import DOMAIN, ArmError, Cloud, Json
from local.arm.container_apps import routes as container_apps
from local.arm.container_apps.routes import Handler
from local.arm.http import Call, Reply
from local.processes import LOOPBACK


def application(cloud: Cloud) -> ASGIApp:
    """The ASGI app of a cloud. Requests for the host name of a deployed app are answered by that app's outcome."""
    routes = [
        *(
            Route(path, _managed(cloud, handler, versions), methods=methods.split())
            for methods, path, versions, handler in (*container_apps.ROUTES, *registry.ROUTES)
        ),
        Route("/_operations/{id}", _operation(cloud), methods=["GET"]),
        Route("/_blob/{path:path}", _blob(cloud), methods=["GET", "PUT"]),
        Route("/_logstream/{revision}/{replica}", _log_stream(cloud), methods=["GET"]),
        Route("/_identity/token", identity.token(cloud), methods=["GET"]),
        Route("/_vault/secrets/{name}", vault.secret(cloud), methods=["GET", "PUT", "DELETE"]),
    ]
    manager = Starlette(routes=routes, exception_handlers={HTTPException: _unknown})
    apps = Starlette(routes=[Route("/{path:path}", _served(cloud), methods=["GET", "POST", "HEAD"])])

    async def by_host(scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope.get("headers", [])).get(b"host", b"").decode().split(":")[0]
        own = host in (LOOPBACK, "localhost") or scope["type"] != "http"
        await (manager if own else apps)(scope, receive, send)

    return by_host


def _managed(cloud: Cloud, handler: Handler, versions: set[str]) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            _admit(cloud, request)
            _check_version(request, versions)
            body = await _body(request)
            cloud.asked[f"{request.method} {request.url.path.rsplit('/providers/', 1)[-1]}"] += 1
            cloud.actions |= (permissions := needed(request.method, request.url.path))
            if body is not None:
                version = request.query_params["api-version"]
                cloud.written.append((f"{type_of(request.url.path)}@{version}", request.method, body))
            base = _base(request)
            call = Call(request.method, request.path_params, request.query_params, body, base)
            reply = handler(cloud, call)
            cloud.after(permissions)
            return _response(cloud, reply, base)
        except ArmError as problem:
            return _refused(cloud, problem)

    return endpoint


def _base(request: Request) -> str:
    """The address of the stand-in, which is also whom tokens for it are issued to."""
    return str(request.base_url).rstrip("/")


def _admit(cloud: Cloud, request: Request) -> None:
    shown = request.headers.get("authorization", "")
    if not hmac.compare_digest(shown, f"Bearer {cloud.token(_base(request))}"):
        raise ArmError(401, "AuthenticationFailed", "Authentication failed.")
    if cloud.trouble:
        raise cloud.trouble.pop(0)


def _check_version(request: Request, versions: set[str]) -> None:
    version = request.query_params.get("api-version")
    if version is None:
        raise ArmError(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
    if version not in versions:
        raise ArmError(400, "NoRegisteredProviderFound", f"There is no API version {version}.")


async def _body(request: Request) -> Any:
    raw = await request.body()
    if request.method not in ("PUT", "PATCH"):
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise ArmError(400, "InvalidRequestContent", "The request content is no JSON.") from None


def _response(cloud: Cloud, reply: Reply, base: str) -> Response:
    headers = {"Retry-After": str(cloud.retry_after)} if reply.operation or reply.location else {}
    if reply.operation:
        headers["Azure-AsyncOperation"] = f"{base}/_operations/{reply.operation}?t={cloud.signature}"
    if reply.location:
        headers["Location"] = f"{base}/_operations/{reply.location}?t={cloud.signature}"
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    return JSONResponse(reply.body, reply.status, headers)


def _operation(cloud: Cloud) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            _admit(cloud, request)
        except ArmError as problem:
            return _refused(cloud, problem)
        found = cloud.operations.get(request.path_params["id"])
        if found is None:
            return _refused(cloud, ArmError(404, "OperationNotFound", "There is no such operation."))
        body: Json = {"id": request.url.path, "status": found.state}
        if found.state == "Failed":
            body["error"] = {"code": "ContainerAppOperationError", "message": found.error}
        return JSONResponse(body, headers={"Retry-After": str(cloud.retry_after)})

    return endpoint


def _blob(cloud: Cloud) -> Any:
    """Uploads of sources and logs of runs, each by an address that is signed."""

    async def endpoint(request: Request) -> Response:
        path = request.path_params["path"]
        if request.query_params.get("sig") != cloud.signature:
            return PlainTextResponse("AuthenticationFailed", 403)
        if request.method == "PUT":
            if path not in cloud.uploads or request.headers.get("x-ms-blob-type") != "BlockBlob":
                return PlainTextResponse("MissingRequiredHeader", 400)
            cloud.uploads[path] = await request.body()
            return Response(status_code=201)
        found = cloud.runs.get(path.removeprefix("logs/"))
        if found is None or not found.log:
            return PlainTextResponse("BlobNotFound", 404)
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        if start >= len(found.log):
            return PlainTextResponse("InvalidRange", 416)
        return PlainTextResponse(found.log[start:], 206, {"x-ms-meta-Complete": "successful"} if found.logged else None)

    return endpoint


def _log_stream(cloud: Cloud) -> Any:
    async def endpoint(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer log-{cloud.signature}":
            return PlainTextResponse("", 401)
        name, replica = request.path_params["revision"], request.path_params["replica"]
        for app in cloud.apps.values():
            if name in app.revisions and replica in app.revisions[name].logs:
                return PlainTextResponse(app.revisions[name].logs[replica])
        return PlainTextResponse("", 404)

    return endpoint


def _served(cloud: Cloud) -> Any:
    async def endpoint(request: Request) -> Response:
        host = request.headers["host"].split(":")[0]
        found = cloud.serving(host)
        if found is None or found.states[0] != "Provisioned":
            return PlainTextResponse(f"No app answers at {host} (apps are below {DOMAIN}).", 404)
        status, text = found.outcome.answer
        return PlainTextResponse(text, status)

    return endpoint


def _refused(cloud: Cloud, problem: ArmError) -> Response:
    headers = {"Retry-After": str(cloud.retry_after)} if problem.status in (409, 429) else {}
    error = {"code": problem.code, "message": problem.message}
    return JSONResponse(error if problem.bare else {"error": error}, problem.status, headers)


def _unknown(request: Request, problem: Exception) -> Response:
    status = getattr(problem, "status_code", 404)
    return JSONResponse({"error": {"code": "InvalidResource", "message": f"No route {request.url.path}"}}, status)
