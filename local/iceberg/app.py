"""The REST protocol of Iceberg catalogs: `GET /v1/config`, namespaces, tables, commits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
    ValidationError,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.table import CommitTableRequest, Table
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.iceberg.faults import Faults

_STATUS: dict[type[Exception], tuple[int, str]] = {
    NoSuchNamespaceError: (404, "NoSuchNamespaceException"),
    NoSuchTableError: (404, "NoSuchTableException"),
    NamespaceAlreadyExistsError: (409, "AlreadyExistsException"),
    TableAlreadyExistsError: (409, "AlreadyExistsException"),
    CommitFailedException: (409, "CommitFailedException"),
    ValidationError: (400, "BadRequestException"),
}
Answer = Callable[[Catalog, dict[str, str], Any], Response]


def create_app(catalog: Catalog, faults: Faults | None = None) -> Starlette:
    """The app over a catalog that holds what it is told."""
    known = faults or Faults()

    def route(path: str, method: str, answer: Answer) -> Route:
        async def endpoint(request: Request) -> Response:
            known.requests += 1
            if known.asleep:
                return _error(503, "ServiceUnavailableException", "The catalog is asleep.")
            body = json.loads(await request.body() or b"null")
            try:
                return await run_in_threadpool(answer, catalog, request.path_params, body)
            except tuple(_STATUS) as error:
                status, kind = next(_STATUS[one] for one in type(error).__mro__ if one in _STATUS)
                return _error(status, kind, str(error))

        return Route(path, endpoint, methods=[method])

    tables = "/v1/namespaces/{namespace}/tables"
    return Starlette(
        routes=[
            route("/v1/config", "GET", _config),
            route("/v1/namespaces", "POST", _create_namespace),
            route("/v1/namespaces/{namespace}", "GET", _namespace),
            route(tables, "GET", _list),
            route(tables, "POST", _create),
            route(f"{tables}/{{table}}", "GET", _load),
            route(f"{tables}/{{table}}", "POST", partial(_commit, known)),
            route(f"{tables}/{{table}}", "DELETE", _drop),
        ]
    )


def _config(_catalog: Catalog, _path: dict[str, str], _body: Any) -> Response:
    return JSONResponse({"defaults": {}, "overrides": {}})


def _create_namespace(catalog: Catalog, _: dict[str, str], body: Any) -> Response:
    catalog.create_namespace(tuple(body["namespace"]), body.get("properties") or {})
    return JSONResponse({"namespace": body["namespace"], "properties": body.get("properties") or {}})


def _namespace(catalog: Catalog, path: dict[str, str], _: Any) -> Response:
    properties = catalog.load_namespace_properties(_parts(path))
    return JSONResponse({"namespace": list(_parts(path)), "properties": properties})


def _list(catalog: Catalog, path: dict[str, str], _: Any) -> Response:
    found = [{"namespace": list(one[:-1]), "name": one[-1]} for one in catalog.list_tables(_parts(path))]
    return JSONResponse({"identifiers": found})


def _create(catalog: Catalog, path: dict[str, str], body: Any) -> Response:
    optional = {"location": None, "partition-spec": None, "write-order": None}
    wanted = CreateTableRequest.model_validate({**optional, **body, "properties": body.get("properties") or {}})
    made = catalog.create_table(
        (*_parts(path), wanted.name),
        wanted.table_schema,
        wanted.location,
        wanted.partition_spec or UNPARTITIONED_PARTITION_SPEC,
        wanted.write_order or UNSORTED_SORT_ORDER,
        wanted.properties or {},
    )
    return _table(made)


def _load(catalog: Catalog, path: dict[str, str], _: Any) -> Response:
    return _table(catalog.load_table(_identifier(path)))


def _commit(faults: Faults, catalog: Catalog, path: dict[str, str], body: Any) -> Response:
    added = [one for one in body["updates"] if one["action"] == "add-snapshot"]
    if faults.one_snapshot and len(added) > 1:
        return _error(400, "BadRequestException", "A commit adds one snapshot at most.")
    named = {"namespace": list(_parts(path)), "name": path["table"]}
    wanted = CommitTableRequest.model_validate({**body, "identifier": named})
    time.sleep(faults.slow_seconds)  # in a thread of its own
    done = catalog.commit_table(catalog.load_table(_identifier(path)), wanted.requirements, wanted.updates)
    if faults.loses_answer():
        return _error(504, "ServiceUnavailableException", "The gateway waited for too long.")
    metadata = json.loads(done.metadata.model_dump_json())
    return JSONResponse({"metadata-location": done.metadata_location, "metadata": metadata})


def _drop(catalog: Catalog, path: dict[str, str], _: Any) -> Response:
    catalog.drop_table(_identifier(path))
    return Response(status_code=204)


def _parts(path: dict[str, str]) -> tuple[str, ...]:
    return tuple(path["namespace"].split("\x1f"))


def _identifier(path: dict[str, str]) -> tuple[str, ...]:
    return (*_parts(path), path["table"])


def _table(table: Table) -> Response:
    metadata = json.loads(table.metadata.model_dump_json())
    return JSONResponse({"metadata-location": table.metadata_location, "metadata": metadata, "config": {}})


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": kind, "code": status}}, status)
