"""The HTTP interface: routes, authorisation, and the headers that every answer has ("Azure Cosmos DB: REST reference")."""

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.cosmos import feeds
from local.cosmos.batch import execute
from local.cosmos.errors import BadRequestError, CosmosError, NotFoundError
from local.cosmos.feeds import Page
from local.cosmos.items import Item, Items, partition_key
from local.cosmos.patch import patch_item
from local.cosmos.signature import check
from local.cosmos.sql.parser import parse
from local.cosmos.sql.run import run
from local.cosmos.sql.syntax import SqlError
from local.cosmos.store import Container, Store

MAX_BODY = 2 * 1024 * 1024
"""Bytes of a document or a batch."""
_PARTITION_KEY = "x-ms-documentdb-partitionkey"
_READ_CHARGE, _WRITE_CHARGE, _QUERY_CHARGE = 1.0, 6.0, 2.8
_SERVERLESS = "Reading or replacing offers is not supported for serverless accounts."


def application(store: Store, key: str) -> ASGIApp:
    """The ASGI app of an account with this data and this Base64 master key."""
    account = _Account(store, key)
    routes = [
        Route("/", account.handle(account.describe), methods=["GET"]),
        Route("/dbs", account.handle(account.databases), methods=["GET", "POST"]),
        Route("/dbs/{db}", account.handle(account.database), methods=["GET", "DELETE"]),
        Route("/dbs/{db}/colls", account.handle(account.containers), methods=["GET", "POST"]),
        Route("/dbs/{db}/colls/{coll}", account.handle(account.container), methods=["GET", "PUT", "DELETE"]),
        Route("/dbs/{db}/colls/{coll}/pkranges", account.handle(account.ranges), methods=["GET"]),
        Route("/dbs/{db}/colls/{coll}/docs", account.handle(account.documents), methods=["GET", "POST"]),
        Route(
            "/dbs/{db}/colls/{coll}/docs/{id}",
            account.handle(account.document),
            methods=["GET", "PUT", "PATCH", "DELETE"],
        ),
        Route(
            "/dbs/{db}/colls/{coll}/operations/partitionkeydelete",
            account.handle(account.delete_partition),
            methods=["POST"],
        ),
        Route("/offers", account.handle(account.offers), methods=["GET", "POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unknown_route})

    async def without_last_slash(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/":
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await app(scope, receive, send)

    return without_last_slash


async def _unknown_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    text = f"The stand-in has no {request.method} {request.url.path}."
    return _failure(request, CosmosError(405 if status == 405 else 404, text))  # noqa: PLR2004 - HTTP's Method Not Allowed


class _Call:
    """One request, with its body read. `headers` names are in lower case."""

    def __init__(self, request: Request, body: bytes) -> None:
        self.method = request.method
        self.path: dict[str, str] = request.path_params
        self.headers: Mapping[str, str] = request.headers
        self.host = request.headers.get("host", "localhost")
        self._body = body

    def says(self, header: str) -> bool:
        return self.headers.get(header, "").lower() == "true"

    @property
    def is_query(self) -> bool:
        content_type = self.headers.get("content-type", "")
        return self.says("x-ms-documentdb-isquery") or content_type.startswith("application/query+json")

    def json(self) -> Any:
        try:
            return json.loads(self._body, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise BadRequestError(
                "The request payload is invalid. Ensure to provide a valid request payload."
            ) from error

    def object(self) -> dict[str, Any]:
        body = self.json()
        if not isinstance(body, dict):
            raise BadRequestError("The request payload is invalid: an object is needed.")
        return body  # pyright: ignore[reportUnknownVariableType] - any JSON


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number.")


class _Answer:
    def __init__(self, status: int, body: Any = None, charge: float = _READ_CHARGE, **headers: str) -> None:
        self.status = status
        self.body = body
        self.charge = charge
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class _Account:
    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._key = key

    def handle(self, answer: Callable[[_Call], _Answer]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint: authorise, read the body, answer. From the body on nothing waits, so that requests cannot mix."""

        async def endpoint(request: Request) -> Response:
            try:
                path, date = request.scope["path"], request.headers.get("x-ms-date", "")
                check(request.headers.get("authorization"), request.method, path, date, self._key)
                result = answer(_Call(request, await _body(request)))
            except CosmosError as problem:
                return _failure(request, problem)
            headers = _headers(request, result.charge) | result.headers
            if result.body is None:
                return Response(status_code=result.status, headers=headers)
            return JSONResponse(result.body, result.status, headers)

        return endpoint

    # The account

    def describe(self, call: _Call) -> _Answer:
        location = [{"name": "Local", "databaseAccountEndpoint": f"http://{call.host}/"}]
        body = {
            "id": "local",
            "_rid": "local",
            "_self": "",
            "_dbs": "//dbs/",
            "writableLocations": location,
            "readableLocations": location,
            "enableMultipleWriteLocations": False,
            "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
            "userReplicationPolicy": {"maxReplicasetSize": 1, "minReplicaSetSize": 1},
            "queryEngineConfiguration": "{}",
        }
        return _Answer(200, body)

    def offers(self, call: _Call) -> _Answer:
        raise BadRequestError(_SERVERLESS)

    def databases(self, call: _Call) -> _Answer:
        if call.method == "POST" and not call.is_query:
            _refuse_throughput(call)
            return _Answer(201, self._store.create_database(call.object()), _WRITE_CHARGE)
        return _list(call, "Databases", self._store.list_databases())

    def database(self, call: _Call) -> _Answer:
        if call.method == "DELETE":
            self._store.delete_database(call.path["db"])
            return _Answer(204)
        return _Answer(200, self._store.read_database(call.path["db"]))

    def containers(self, call: _Call) -> _Answer:
        database = call.path["db"]
        if call.method == "POST" and not call.is_query:
            _refuse_throughput(call)
            return _Answer(201, self._store.create_container(database, call.object()), _WRITE_CHARGE)
        return _list(call, "DocumentCollections", self._store.list_containers(database))

    def container(self, call: _Call) -> _Answer:
        database, name = call.path["db"], call.path["coll"]
        if call.method == "DELETE":
            self._store.delete_container(database, name)
            return _Answer(204)
        if call.method == "PUT":
            return _Answer(200, self._store.replace_container(database, name, call.object()), _WRITE_CHARGE)
        return _Answer(200, self._store.container(database, name).body)

    def ranges(self, call: _Call) -> _Answer:
        """The one physical partition; it never splits."""
        container = self._container(call)
        if call.headers.get("if-none-match"):
            return _Answer(304, etag='"1"')
        whole = {"id": "0", "minInclusive": "", "maxExclusive": "FF", "status": "online", "parents": []}
        body = {
            "_rid": container.rid,
            "PartitionKeyRanges": [{**whole, "_rid": container.rid, "_etag": '"1"'}],
            "_count": 1,
        }
        return _Answer(200, body, etag='"1"')

    # Documents

    def _container(self, call: _Call) -> Container:
        try:
            container = self._store.container(call.path["db"], call.path["coll"])
        except NotFoundError as error:
            raise NotFoundError("Owner resource does not exist", 1003) from error
        intended = call.headers.get("x-ms-cosmos-intended-collection-rid")
        if intended and intended != container.rid:
            # The container was deleted and made anew; the client refreshes what it remembers of it.
            raise BadRequestError("Collection rid in the request does not match the container.", 1024)
        return container

    def _items(self, call: _Call) -> Items:
        return Items(self._store, self._container(call))

    def documents(self, call: _Call) -> _Answer:
        items = self._items(call)
        if call.method == "GET":
            return self._feed(call, items)
        if call.is_query or call.says("x-ms-cosmos-is-query-plan-request"):
            return self._query(call, items)
        partition = _partition(call, items)
        if call.says("x-ms-cosmos-is-batch-request"):
            status, results = execute(self._store, items, partition, call.json())
            return _Answer(status, results, _WRITE_CHARGE * len(results), **_session(items))
        document = call.object()
        with self._store.transaction():
            if call.says("x-ms-documentdb-is-upsert"):
                item, created = items.upsert(partition, document, call.headers.get("if-match"))
            else:
                item, created = items.create(partition, document), True
        return _written(call, items, item, 201 if created else 200)

    def document(self, call: _Call) -> _Answer:
        items = self._items(call)
        partition, name, if_match = _partition(call, items), call.path["id"], call.headers.get("if-match")
        if call.method == "GET":
            item = items.read(partition, name)
            if call.headers.get("if-none-match") == item.etag:
                return _Answer(304, etag=item.etag)
            return _Answer(200, item.document, etag=item.etag, **_session(items))
        with self._store.transaction():
            if call.method == "DELETE":
                items.delete(partition, name, if_match)
                return _Answer(204, charge=_WRITE_CHARGE)
            if call.method == "PATCH":
                item = patch_item(items, partition, name, call.json(), if_match)
            else:
                item = items.replace(partition, name, call.object(), if_match)
        return _written(call, items, item, 200)

    def delete_partition(self, call: _Call) -> _Answer:
        items = self._items(call)
        partition = _partition(call, items)
        with self._store.transaction():
            items.delete_partition(partition)
        return _Answer(200, charge=_WRITE_CHARGE)

    def _feed(self, call: _Call, items: Items) -> _Answer:
        partition = _partition(call, items) if _PARTITION_KEY in call.headers else None
        _refuse_part_of_range(call)
        if "a-im" not in call.headers:
            return _results(items, feeds.read_feed(items, partition, call.headers), _QUERY_CHARGE)
        found = feeds.changes(items, partition, call.headers)
        if not found.documents:
            return _Answer(304, etag=found.etag, **_session(items))
        body = {"_rid": items.container.rid, "Documents": found.documents, "_count": len(found.documents)}
        return _Answer(200, body, _QUERY_CHARGE, etag=found.etag, **_session(items))

    def _query(self, call: _Call, items: Items) -> _Answer:
        if call.says("x-ms-cosmos-is-query-plan-request"):
            raise BadRequestError("The stand-in has one partition and makes no query plans.")
        partition = _partition(call, items) if _PARTITION_KEY in call.headers else None
        _refuse_part_of_range(call)
        anywhere = call.says("x-ms-documentdb-query-enablecrosspartition") or call.headers.get(
            "x-ms-documentdb-partitionkeyrangeid"
        )
        if partition is None and not anywhere:
            raise BadRequestError(
                "Cross partition query is required but disabled. Please set x-ms-documentdb-query-enablecrosspartition to "
                "true, specify x-ms-documentdb-partitionkey, or revise your query to avoid this exception."
            )
        return _results(items, feeds.query(items, partition, call.json(), call.headers), _QUERY_CHARGE)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise CosmosError(413, "Request size is too large: a document or a batch has at most 2 MB.")
    return bytes(body)


def _partition(call: _Call, items: Items) -> str:
    """The partition that the request names.

    Raises:
        BadRequestError: it names none, or not as many values as the container's key has parts.
    """
    text = call.headers.get(_PARTITION_KEY)
    if text is None:
        raise BadRequestError("PartitionKey value must be supplied for this operation.")
    try:
        values: Any = json.loads(text)
    except ValueError as error:
        raise BadRequestError(f"Partition key {text} is invalid.") from error
    if not isinstance(values, list) or len(values) != len(items.container.partition_paths):  # pyright: ignore[reportUnknownArgumentType] - any JSON
        raise BadRequestError(
            "Partition key provided either doesn't correspond to definition in the collection or is invalid."
        )
    return partition_key(values)  # pyright: ignore[reportUnknownArgumentType] - any JSON


def _refuse_part_of_range(call: _Call) -> None:
    low, high = call.headers.get("x-ms-start-epk", ""), call.headers.get("x-ms-end-epk", "FF")
    if (low, high) != ("", "FF"):
        raise BadRequestError("The stand-in has one physical partition and cannot read a part of its key range.")


def _refuse_throughput(call: _Call) -> None:
    if "x-ms-offer-throughput" in call.headers or "x-ms-cosmos-offer-autopilot-settings" in call.headers:
        raise BadRequestError(
            "Setting offer throughput or autopilot on container is not supported for serverless accounts."
        )


def _list(call: _Call, name: str, resources: list[dict[str, Any]]) -> _Answer:
    """All databases or containers, or those that a query picks."""
    if call.is_query:
        statement = call.object()
        parameters = {one["name"]: one.get("value") for one in statement.get("parameters") or []}
        try:
            rows = run(parse(str(statement.get("query")), parameters), enumerate(resources))
            resources = [row.value for row in rows]
        except SqlError as error:
            raise BadRequestError(error.message) from error
    return _Answer(200, {"_rid": "", name: resources, "_count": len(resources)})


def _written(call: _Call, items: Items, item: Item, status: int) -> _Answer:
    minimal = call.headers.get("prefer") == "return=minimal"
    return _Answer(
        status,
        None if minimal else item.document,
        _WRITE_CHARGE,
        etag=item.etag,
        **{"x-ms-session-token": f"0:-1#{item.lsn}"},
    )


def _results(items: Items, page: Page, charge: float) -> _Answer:
    more = {} if page.continuation is None else {"x-ms-continuation": page.continuation}
    count = len(page.results)
    body = {"_rid": items.container.rid, "Documents": page.results, "_count": count}
    return _Answer(200, body, charge, **{"x-ms-item-count": str(count)}, **more, **_session(items))


def _session(items: Items) -> dict[str, str]:
    return {"x-ms-session-token": f"0:-1#{items.container.lsn}"}


def _headers(request: Request, charge: float) -> dict[str, str]:
    return {
        "x-ms-request-charge": str(charge),
        "x-ms-activity-id": request.headers.get("x-ms-activity-id") or str(uuid.uuid4()),
        "x-ms-version": request.headers.get("x-ms-version", "2020-07-15"),
    }


def _failure(request: Request, problem: CosmosError) -> Response:
    headers = _headers(request, _READ_CHARGE)
    text = f"{problem.message}\r\nActivityId: {headers['x-ms-activity-id']}"
    if problem.substatus:
        headers["x-ms-substatus"] = str(problem.substatus)
    return JSONResponse({"code": problem.code, "message": text}, problem.status, headers)
