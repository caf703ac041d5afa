"""Declares routes: one decorator and one typed signature per HTTP route, from which all the rest follows."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, partialmethod
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import azure.functions as func

from shared.platform.access.auth import PUBLIC, header
from shared.platform.errors import PayloadTooLarge
from shared.platform.http.answers import answers_with, response, status_of
from shared.platform.http.inputs import Inputs
from shared.platform.http.problems import problem_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from shared.platform.access.auth import Guard
    from shared.platform.http.cors import Cors

    Handler = Callable[..., Awaitable[Any]]

H = TypeVar("H", bound="Callable[..., Awaitable[Any]]")
BODY_LIMIT = 1_000_000
Unusable = Literal[400, 422]


@dataclass
class Operation:
    """One route with its handler: see Routes for the meaning of the fields."""

    method: str
    route: str
    tag: str
    handler: Handler
    needs: Guard
    summary: str
    success: int
    limit: int
    consumes: str
    produces: str
    also: Mapping[int, type[Any]]
    hidden: bool
    cors: Cors | None = None
    unusable: Unusable = 400

    def __post_init__(self) -> None:
        self.inputs = Inputs(self.handler, re.findall(r"\{\*?(\w+)\}", self.route))

    @cached_property
    def status(self) -> int:
        """The status of success."""
        return self.success or status_of(answers_with(self.inputs.returns))

    @property
    def name(self) -> str:
        return self.handler.__name__

    async def answer(self, request: func.HttpRequest, client: object = None) -> func.HttpResponse:
        """What the route answers; it never raises, since the Functions host would answer an empty 500."""
        about_caller: Mapping[str, str] = {}
        try:
            if len(request.get_body()) > self.limit:
                raise PayloadTooLarge(  # noqa: TRY301 - one exit
                    f"The body is over the limit of {self.limit:,} bytes.",
                    remedy="What this route takes stands at /docs.",
                )
            caller = await self.needs.authenticate(request)
            about_caller = caller.headers
            result = await self.handler(**self.inputs.read(request, caller, client))
            answer = response(result, self.status, self.name)
        except Exception as error:  # noqa: BLE001 - the last place that can turn it into an answer
            answer = problem_response(error, request, self.unusable, self.inputs.part_of)
        for name, value in (*about_caller.items(), *self._about_origin(request).items()):
            answer.headers[name] = value
        return answer

    def _about_origin(self, request: func.HttpRequest) -> Mapping[str, str]:
        """The headers for a page of another origin, if one asks and may."""
        if self.cors is None:
            return {}
        return self.cors.headers(header(request, "Origin"), preflight=self.method == "OPTIONS")


class Routes:
    """The HTTP routes of one workload, shown under one heading of the API's document.

    With `cors` pages of other origins may call them. `unusable` is the status of a request whose values cannot be used;
    callers of a replaced system know theirs.
    """

    def __init__(self, tag: str, cors: Cors | None = None, unusable: Unusable = 400) -> None:
        self.tag = tag
        self.cors = cors
        self.unusable: Unusable = unusable
        self.operations: list[Operation] = []

    def declare(
        self,
        method: str,
        route: str,
        *,
        needs: Guard,
        summary: str,
        status: int = 0,
        limit: int = BODY_LIMIT,
        consumes: str = "application/octet-stream",
        produces: str = "application/octet-stream",
        also: Mapping[int, type[Any]] | None = None,
        hidden: bool = False,
    ) -> Callable[[H], H]:
        """Declare the decorated handler as a route.

        Args:
            method: upper case.
            route: `{name}` stands for a part of the path, `{*name}` for all the rest.
            needs: who may use it.
            summary: what it is for, in one line; the handler's docstring says more.
            status: of success; 0 means 204 for None, 202 for Accepted, else 200.
            limit: most bytes of a body.
            consumes: media type of a body that is handed over as bytes.
            produces: media type of an HttpResponse, or those that it may have, by commas.
            also: models of further statuses that a Reply may have.
            hidden: leave it out of the API's document.
        """

        def take(handler: H) -> H:
            operation = Operation(
                method,
                route,
                self.tag,
                handler,
                needs,
                summary,
                status,
                limit,
                consumes,
                produces,
                also or {},
                hidden,
                self.cors,
                self.unusable,
            )
            self.operations.append(operation)
            return handler

        return take

    get = partialmethod(declare, "GET")
    head = partialmethod(declare, "HEAD")
    post = partialmethod(declare, "POST")
    put = partialmethod(declare, "PUT")
    patch = partialmethod(declare, "PATCH")
    delete = partialmethod(declare, "DELETE")


class FunctionRegistry(Protocol):
    """A function app or blueprint that knows HTTP routes and the durable client."""

    def function_name(self, *args: Any, **kwargs: Any) -> Any: ...
    def route(self, *args: Any, **kwargs: Any) -> Any: ...
    def durable_client_input(self, *args: Any, **kwargs: Any) -> Any: ...


def register(app: FunctionRegistry, *groups: Routes) -> None:
    """Make a function of every route.

    Raises:
        ValueError: a route could never be reached.
    """
    operations = [operation for group in groups for operation in group.operations]
    operations += [
        _preflight(cors) for cors in {group.cors.prefix: group.cors for group in groups if group.cors}.values()
    ]
    if hidden := hidden_routes(operations):
        raise ValueError(" ".join(hidden))
    for operation in operations:
        function = _function(operation)
        if "client" in operation.inputs.names:
            function = app.durable_client_input(client_name="client")(function)
        route = app.route(
            route=operation.route.lstrip("/"), methods=[operation.method], auth_level=func.AuthLevel.ANONYMOUS
        )
        app.function_name(operation.name)(route(function))


def _preflight(cors: Cors) -> Operation:
    """The route that answers browsers which ask whether a page may call."""
    routes = Routes("cors", cors)

    async def may_call(path: str) -> None:  # noqa: ARG001 - one answer for every path; Operation adds the headers
        return

    may_call.__name__ = f"preflight_{re.sub(r'[^a-z0-9]+', '_', cors.prefix.strip('/').lower())}"
    routes.declare("OPTIONS", f"{cors.prefix}/{{*path}}", needs=PUBLIC, summary="What pages may do", hidden=True)(
        may_call
    )
    return routes.operations[0]


def hidden_routes(operations: Iterable[Operation]) -> list[str]:
    """Which routes another one hides: the host tries functions in the order of their names, the first fits."""
    found: list[str] = []
    before: dict[str, list[tuple[Operation, list[str]]]] = defaultdict(list)
    for operation in sorted(operations, key=lambda o: o.name.lower()):
        parts = operation.route.lower().split("/")
        found += [
            f"{operation.method} {operation.route} ({operation.name}) can never be reached: {first.name} comes first "
            f"in the alphabet and takes {first.route}. Rename one of the two handlers."
            for first, its_parts in before[operation.method]
            if _takes_all(its_parts, parts)
        ]
        before[operation.method].append((operation, parts))
    return found


def _takes_all(parts: list[str], others: list[str]) -> bool:
    """Does a route of `parts` fit every path that one of `others` fits? `{*name}` also fits where nothing is left."""
    for part, other in zip(parts, others, strict=False):
        if part == other:
            continue
        if part.startswith("{*"):
            return True
        if not part.startswith("{") or other.startswith("{*"):
            return False
    return len(parts) == len(others) or (parts[-1].startswith("{*") and len(parts) == len(others) + 1)


def _function(operation: Operation) -> Callable[..., Awaitable[func.HttpResponse]]:
    """The function that the worker sees.

    Its parameters are the bindings only: one named like a part of the path would make the worker refuse the whole app.
    """
    if "client" in operation.inputs.names:

        async def handle_with_client(req: func.HttpRequest, client: str) -> func.HttpResponse:
            return await operation.answer(req, client)

        return handle_with_client

    async def handle(req: func.HttpRequest) -> func.HttpResponse:
        return await operation.answer(req)

    return handle
