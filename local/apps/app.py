"""The platform over HTTP: steps for whoever has the token, and apps for whoever asks by a bound domain."""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.apps.deployments import Deployments
from local.apps.errors import Refusal
from local.apps.images.building import Building
from local.apps.orders import BindOrder, BuildOrder, DeploymentId, Provision, ReleaseOrder
from local.apps.revisions.domains import Domains
from local.apps.revisions.proxy import make_client
from local.apps.revisions.serving import Serving
from local.apps.state import State
from local.apps.workspaces import Workspaces

LONGEST_WAIT_SECONDS = 20.0
BODY_BYTES = 1_000_000
_APP = "/v1/apps/{organization}/{project}/{environment}"
_Order = TypeVar("_Order", bound=BaseModel)
_deployment_id = TypeAdapter[str](DeploymentId)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the platform listens itself, and where for custom domains alone if it can; 0: nowhere."""

    own: int
    web: int = 0


def create_app(token: str, ports: Ports, state: State, workspaces: Workspaces, say: Callable[[str], None]) -> ASGIApp:
    """Make the app; everything that it started is stopped when it ends."""

    @asynccontextmanager
    async def living(app: Starlette) -> AsyncGenerator[None]:
        deployments = Deployments(state, workspaces)
        building = Building(deployments)
        serving = Serving(deployments, building, say)
        app.state.deployments, app.state.building, app.state.serving = deployments, building, serving
        client = make_client()
        app.state.domains = domains = Domains(serving, client, ports.own)
        try:
            await serving.resume()
            if ports.web and not await domains.open(ports.web):
                say(f"Port {ports.web} cannot be had: custom domains answer on port {ports.own} alone.")
            yield
        finally:
            await domains.close()
            await building.close()
            await serving.close()
            await client.aclose()

    steps = _Steps()
    one = "/v1/deployments/{deployment}"
    app = Starlette(
        routes=[
            Route("/health", steps.health, methods=["GET"]),
            Route("/v1/apps", steps.apps, methods=["GET"]),
            Route("/v1/runtimes", steps.runtimes, methods=["GET"]),
            Route(_APP, steps.remove_app, methods=["DELETE"]),
            Route(f"{_APP}/log", steps.log, methods=["GET"]),
            Route(one, steps.provision, methods=["PUT"]),
            Route(one, steps.cleanup, methods=["DELETE"]),
            Route(f"{one}/source", steps.source, methods=["PUT"]),
            Route(f"{one}/build", steps.build, methods=["POST"]),
            Route(f"{one}/build", steps.built, methods=["GET"]),
            Route(f"{one}/build", steps.cancel_build, methods=["DELETE"]),
            Route(f"{one}/release", steps.release, methods=["POST"]),
            Route(f"{one}/release", steps.released, methods=["GET"]),
            Route(f"{one}/app-log", steps.log_tail, methods=["GET"]),
            Route(f"{one}/promote", steps.promote, methods=["POST"]),
            Route(f"{one}/rollback", steps.rollback, methods=["POST"]),
            Route(f"{one}/domain", steps.domain, methods=["PUT"]),
            Route(f"{one}/health", steps.revision_health, methods=["GET"]),
            Route("/v1/domains/{domain}", steps.owner, methods=["GET"]),
            Route("/v1/domains/{domain}", steps.unbind, methods=["DELETE"]),
        ],
        lifespan=living,
        exception_handlers={Refusal: _refused, ValidationError: _invalid},
    )
    return _Front(app, token)


class _Front:
    """Sends requests for a bound domain to its app, and asks all others for the token."""

    def __init__(self, app: Starlette, token: str) -> None:
        self._app = app
        self._token = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        domains: Domains = self._app.state.domains
        if await domains.answer(scope, receive, send):
            return
        authorized = hmac.compare_digest(dict(scope["headers"]).get(b"authorization", b""), self._token)
        if not authorized and scope["path"] != "/health":
            wrong = JSONResponse({"code": "unauthenticated", "message": "The token is missing or wrong."}, 401)
            await wrong(scope, receive, send)
            return
        await self._app(scope, receive, send)


class _Steps:
    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def apps(self, request: Request) -> Response:
        return JSONResponse({"apps": [app.model_dump(mode="json") for app in _serving(request).apps()]})

    async def runtimes(self, request: Request) -> Response:
        deployments: Deployments = request.app.state.deployments
        return JSONResponse(deployments.workspaces.runtimes)

    async def remove_app(self, request: Request) -> Response:
        await _serving(request).remove_app(**request.path_params)
        return Response(status_code=204)

    async def log(self, request: Request) -> Response:
        return PlainTextResponse(await _serving(request).log(**request.path_params))

    async def provision(self, request: Request) -> Response:
        order = await _order(request, Provision)
        deployment = _deployment_id.validate_python(request.path_params["deployment"])
        deployments: Deployments = request.app.state.deployments
        await deployments.provision(deployment, order)
        await _serving(request).open(deployment)
        return Response(status_code=204)

    async def source(self, request: Request) -> Response:
        await _building(request).receive(request.path_params["deployment"], request.stream())
        return Response(status_code=204)

    async def build(self, request: Request) -> Response:
        order = await _order(request, BuildOrder)
        await _building(request).build(request.path_params["deployment"], order)
        return Response(status_code=202)

    async def built(self, request: Request) -> Response:
        after = int(_number(request, "after"))
        return _json(await _building(request).built(request.path_params["deployment"], after, _wait(request)))

    async def cancel_build(self, request: Request) -> Response:
        await _building(request).cancel(request.path_params["deployment"])
        return Response(status_code=204)

    async def release(self, request: Request) -> Response:
        order = await _order(request, ReleaseOrder)
        await _serving(request).release(request.path_params["deployment"], order)
        return Response(status_code=202)

    async def released(self, request: Request) -> Response:
        return _json(await _serving(request).released(request.path_params["deployment"], _wait(request)))

    async def log_tail(self, request: Request) -> Response:
        after = int(_number(request, "after")) if "after" in request.query_params else None
        return _json(await _serving(request).log_from(request.path_params["deployment"], after))

    async def promote(self, request: Request) -> Response:
        return JSONResponse({"url": await _serving(request).promote(request.path_params["deployment"])})

    async def rollback(self, request: Request) -> Response:
        await _serving(request).rollback(request.path_params["deployment"])
        return Response(status_code=204)

    async def cleanup(self, request: Request) -> Response:
        await _serving(request).cleanup(request.path_params["deployment"])
        return Response(status_code=204)

    async def domain(self, request: Request) -> Response:
        order = await _order(request, BindOrder)
        await _serving(request).bind(request.path_params["deployment"], order.domain)
        domains: Domains = request.app.state.domains
        return JSONResponse({"url": domains.url(order.domain)})

    async def owner(self, request: Request) -> Response:
        app = _serving(request).owner(request.path_params["domain"])
        identity = app and {"organization": app.organization, "project": app.project, "environment": app.environment}
        return JSONResponse({"app": identity})

    async def unbind(self, request: Request) -> Response:
        whose = Provision.model_validate(dict(request.query_params))
        await _serving(request).unbind(request.path_params["domain"], **whose.model_dump())
        return Response(status_code=204)

    async def revision_health(self, request: Request) -> Response:
        health = _serving(request).health(request.path_params["deployment"])
        return JSONResponse({"health": health and health.model_dump(mode="json")})


def _building(request: Request) -> Building:
    return request.app.state.building


def _serving(request: Request) -> Serving:
    return request.app.state.serving


async def _order(request: Request, model: type[_Order]) -> _Order:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise Refusal(413, "payload-too-large", "The order is too large.")
    return model.model_validate_json(bytes(body))


def _wait(request: Request) -> float:
    return min(_number(request, "wait"), LONGEST_WAIT_SECONDS)


def _number(request: Request, name: str) -> float:
    try:
        return max(float(request.query_params.get(name, "0")), 0)
    except ValueError:
        raise Refusal(400, "invalid-input", f"{name} must be a number.") from None


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return JSONResponse({"code": error.code, "message": error.message}, error.status)


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
    return JSONResponse({"code": "invalid-input", "message": wrong}, 400)
