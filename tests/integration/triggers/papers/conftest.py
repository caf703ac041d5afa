"""The routes of papers, called in this process on a migrated database as callers call them."""

import json
from urllib.parse import urlencode

import azure.functions as func
import pytest
from azure.functions.http import HttpResponseConverter

from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import papers
from tests.integration.shared.papers.embedding.conftest import service, some
from tests.integration.shared.papers.maps.conftest import maps
from tests.present import present
from triggers.papers import browsing, embedding, ingesting, mapping, searching

__all__ = ["maps", "papers", "service", "some"]
ADMIN = {"X-Admin-Key": "test-admin"}
OPERATIONS = {
    (operation.method, operation.route): operation
    for module in (browsing, embedding, ingesting, mapping, searching)
    for operation in module.routes.operations
}


@pytest.fixture
def call(papers, monkeypatch):
    """Calls a route: the status, the body, the headers as they are sent.

    Its parameters are those of the path, and else of the query.
    """
    monkeypatch.setenv("ADMIN_API_KEY", ADMIN["X-Admin-Key"])
    forget_settings()

    async def called(method, route, *, body=None, headers=None, **parameters):
        in_path = {name: str(value) for name, value in parameters.items() if f"{{{name}}}" in route}
        query = urlencode({name: value for name, value in parameters.items() if name not in in_path})
        request = func.HttpRequest(
            method,
            f"http://localhost{route.format(**in_path)}?{query}",
            headers={"content-type": "application/json", **ADMIN, **(headers or {})},
            route_params=in_path,
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer = await OPERATIONS[method, route].answer(request)
        sent = present(HttpResponseConverter.encode(answer, expected_type=None)).value
        by_name = {name.lower(): value.value for name, value in sent["headers"].items()}
        return int(sent["status_code"].value), sent["body"].value, by_name

    return called


@pytest.fixture
def pages(call):
    """Reads a list to its end by its cursors: the pages' items."""

    async def read(route, **parameters):
        found, cursor = [], {}
        while cursor is not None:
            status, body, _ = await call("GET", route, **parameters, **cursor)
            assert status == 200, body
            page = json.loads(body)
            found.append(page["data"])
            following = page["pagination"]["next"]
            cursor = {"cursor": following} if following else None
        return found

    return read
