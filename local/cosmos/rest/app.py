"""The ASGI app: the routes of Cosmos DB's REST interface, each behind its authorisation."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.cosmos.errors import CosmosError
from local.cosmos.rest.account import Account
from local.cosmos.rest.http import Answer, Call, failure, headers, read_body, unknown_route
from local.cosmos.rest.signature import check
from local.cosmos.store import Store


def application(store: Store, key: str) -> ASGIApp:
    """The ASGI app of an account with this data and this Base64 master key."""
    account = Account(store)
    routes = [
        Route("/", _endpoint(account.describe, key), methods=["GET"]),
        Route("/dbs", _endpoint(account.databases, key), methods=["GET", "POST"]),
        Route("/dbs/{db}", _endpoint(account.database, key), methods=["GET", "DELETE"]),
        Route("/dbs/{db}/colls", _endpoint(account.containers, key), methods=["GET", "POST"]),
        Route("/dbs/{db}/colls/{coll}", _endpoint(account.container, key), methods=["GET", "PUT", "DELETE"]),
        Route("/dbs/{db}/colls/{coll}/pkranges", _endpoint(account.ranges, key), methods=["GET"]),
        Route("/dbs/{db}/colls/{coll}/docs", _endpoint(account.documents, key), methods=["GET", "POST"]),
        Route(
            "/dbs/{db}/colls/{coll}/docs/{id}",
            _endpoint(account.document, key),
            methods=["GET", "PUT", "PATCH", "DELETE"],
        ),
        Route(
            "/dbs/{db}/colls/{coll}/operations/partitionkeydelete",
            _endpoint(account.delete_partition, key),
            methods=["POST"],
        ),
        Route("/offers", _endpoint(account.offers, key), methods=["GET", "POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: unknown_route})

    async def without_last_slash(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/":
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await app(scope, receive, send)

    return without_last_slash


def _endpoint(answer: Callable[[Call], Answer], key: str) -> Callable[[Request], Awaitable[Response]]:
    """Authorise, read the body, answer. From the body on nothing waits, so that requests cannot mix."""

    async def endpoint(request: Request) -> Response:
        try:
            path, date = request.scope["path"], request.headers.get("x-ms-date", "")
            check(request.headers.get("authorization"), request.method, path, date, key)
            result = answer(Call(request, await read_body(request)))
        except CosmosError as problem:
            return failure(request, problem)
        common = headers(request, result.charge) | result.all_headers()
        if result.body is None:
            return Response(status_code=result.status, headers=common)
        return JSONResponse(result.body, result.status, common)

    return endpoint
