"""The supplier as one ASGI app: GraphQL, the REST feed, and the routes that a test steers it with."""

import asyncio
import json
import math
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.supplier import execution
from local.supplier.catalogue import DATA_SET_SIZE, Catalogue
from local.supplier.faults import FaultName, Faults, FaultSettings
from local.supplier.nivoda import Nivoda, PriceUnit
from local.supplier.rest import RestFeed
from local.supplier.traffic import Traffic

MAX_BODY = 1 << 20
MUTATIONS = {"create_hold", "cancel_hold", "create_order"}


class Change(BaseModel):
    """How many stones shall change, be added or go; which ones follows from the seed."""

    model_config = ConfigDict(extra="forbid")

    reprice: int = Field(default=0, ge=0)
    percent: float = Field(default=5.0, ge=-50, le=100)
    add: int = Field(default=0, ge=0)
    remove: int = Field(default=0, ge=0)
    seed: int = 1


@dataclass
class Supplier:
    """Everything behind the routes; tests reach into it."""

    catalogue: Catalogue
    faults: Faults
    traffic: Traffic
    nivoda: Nivoda
    latency_seconds: float = 0.0
    _changes: int = 0

    async def graphql(self, request: Request) -> Response:
        """POST /graphql: one operation as {"query", "variables", "operationName"}."""
        body = execution.Request.model_validate(await _json(request))
        request_number = self.faults.number(f"{body.query}|{json.dumps(body.variables, sort_keys=True)}")
        document, fields, errors = execution.check(body.query)
        if refusal := await self.admit(",".join(sorted(fields)) or "invalid", request_number):
            return refusal
        if document is None:
            return _errors(errors, 400)
        if "authenticate" not in fields:
            self._change_if_struck(request_number)
            if self.faults.strikes(FaultName.ERRORS, request_number):
                return _errors([GraphQLError("Internal server error", extensions={"code": "INTERNAL_SERVER_ERROR"})])
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        answer = self.nivoda.execute(document, body, token, request_number).formatted
        if fields & MUTATIONS and self.faults.strikes(FaultName.LOST_ANSWER, request_number):
            return Response("bad gateway", 502, media_type="text/plain")
        return JSONResponse(answer)

    async def admit(self, operation: str, request_number: bytes) -> Response | None:
        """Count the request, hold it up and refuse it as the settings say; None lets it pass."""
        wait = self.traffic.arrive()
        self.traffic.by_operation[operation] += 1
        slow = self.faults.strikes(FaultName.SLOW, request_number)
        if delay := self.latency_seconds + (slow.seconds if slow else 0):
            await asyncio.sleep(delay)
        if wait:
            return _too_many(wait)
        if fault := self.faults.strikes(FaultName.THROTTLE, request_number):
            return _too_many(fault.seconds)
        if self.faults.strikes(FaultName.SERVER_ERROR, request_number):
            return Response("upstream connect error or disconnect/reset before headers", 500, media_type="text/plain")
        return None

    def _change_if_struck(self, request_number: bytes) -> None:
        if self.faults.strikes(FaultName.CHANGES, request_number):
            self._changes += 1
            kinds = ("reprice", "reprice", "add", "remove")
            kind = kinds[int(self.faults.draw("kind", request_number) * len(kinds))]
            self.change(Change.model_validate({kind: 1, "seed": self._changes}))

    def change(self, change: Change) -> None:
        """Change the stock at once, as of now."""
        draw = self.catalogue.any_numbers
        self.catalogue.reprice(draw(change.seed, change.reprice), change.percent)
        self.catalogue.add(draw(change.seed + 1, change.add))
        self.catalogue.remove(draw(change.seed + 2, change.remove))

    async def health(self, _request: Request) -> Response:
        """GET whether it serves, and how many diamonds it offers."""
        return JSONResponse({"status": "ok", "diamonds": len(self.catalogue)})

    async def stats(self, request: Request) -> Response:
        """GET the figures since the start or the last DELETE."""
        if request.method == "DELETE":
            self.traffic.reset()
        faults = dict(self.faults.struck)
        return JSONResponse({**self.traffic.report(), "diamonds": len(self.catalogue), "faults_struck": faults})

    async def set_faults(self, request: Request) -> Response:
        """POST the faults that shall be on from now on; GET those that are."""
        if request.method == "POST":
            self.faults.set(FaultSettings.model_validate(await _json(request)))
        return JSONResponse(self.faults.settings.model_dump(mode="json"))

    async def set_changes(self, request: Request) -> Response:
        """POST how many stones change now."""
        self.change(Change.model_validate(await _json(request)))
        return JSONResponse({"diamonds": len(self.catalogue)})

    async def orders(self, _request: Request) -> Response:
        """GET what the account has on hold and has ordered."""
        return JSONResponse(self.nivoda.orders.report())

    async def expire(self, _request: Request) -> Response:
        """POST to end all sessions, as six hours would."""
        self.nivoda.expire_sessions()
        return Response(status_code=204)


def create_app(  # the flags of `python -m local.supplier`, one to one
    diamonds: int = DATA_SET_SIZE,
    *,
    price_unit: PriceUnit = "cents",
    cents_in_prices: bool = False,
    rate_limit: float = 0,
    latency_seconds: float = 0,
    faults: FaultSettings | None = None,
    username: str = "manifold",
    password: str = "manifold",  # noqa: S107 - the stand-in's well-known account
) -> Starlette:
    """Make the app; its `state.supplier` is the Supplier behind it."""
    catalogue, troubles = Catalogue(diamonds, cents=cents_in_prices), Faults(faults)
    api = Nivoda(catalogue, troubles, username=username, password=password, price_unit=price_unit)
    supplier = Supplier(catalogue, troubles, Traffic(rate_limit), api, latency_seconds)
    app = Starlette(
        routes=[
            Route("/graphql", supplier.graphql, methods=["POST"]),
            *RestFeed(catalogue, troubles, supplier.admit, password).routes(),
            Route("/health", supplier.health, methods=["GET"]),
            Route("/_control/stats", supplier.stats, methods=["GET", "DELETE"]),
            Route("/_control/faults", supplier.set_faults, methods=["GET", "POST"]),
            Route("/_control/changes", supplier.set_changes, methods=["POST"]),
            Route("/_control/orders", supplier.orders, methods=["GET"]),
            Route("/_control/expire-sessions", supplier.expire, methods=["POST"]),
        ],
        exception_handlers={ValidationError: _invalid, ValueError: _invalid},
    )
    app.state.supplier = supplier
    return app


async def _json(request: Request) -> Any:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise ValueError(f"The body is larger than {MAX_BODY} bytes")
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise ValueError(f"The body is not JSON: {error}") from None


async def _invalid(_request: Request, error: Exception) -> Response:
    return JSONResponse({"errors": [{"message": str(error)}]}, 400)


def _errors(errors: list[GraphQLError], status: int = 200) -> Response:
    return JSONResponse({"data": None, "errors": [error.formatted for error in errors]}, status)


def _too_many(seconds: float) -> Response:
    return Response("Too many requests", 429, {"Retry-After": str(max(1, math.ceil(seconds)))}, "text/plain")
