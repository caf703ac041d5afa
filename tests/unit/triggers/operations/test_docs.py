import json
import re

import pytest

from shared.platform.access.auth import PUBLIC
from shared.platform.http import Routes, hidden_routes
from shared.platform.workload import Workload
from triggers.operations import console, docs, health, runs


@pytest.fixture
def load(monkeypatch):
    """Lets the app consist of one workload with these routes."""

    def loaded(*routes: Routes) -> None:
        monkeypatch.setattr(docs, "workloads", lambda: (Workload(name="some", routes=routes),))
        docs._document.cache_clear()

    yield loaded
    docs._document.cache_clear()


async def test_the_document_holds_every_route_that_is_not_hidden(ask, load):
    load(health.routes, runs.routes, docs.routes)
    answer = await ask(docs.routes, "GET", "/openapi.json")
    api = json.loads(answer.get_body())
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert (api["info"]["title"], api["info"]["version"]) == ("Manifold", docs.VERSION)
    assert set(api["paths"]) == {
        operation.route for group in (health.routes, runs.routes) for operation in group.operations
    }


async def test_a_route_of_any_workload_is_in_it(ask, load):
    own = Routes(tag="own")

    @own.get("/own", needs=PUBLIC, summary="s")
    async def own_route() -> None: ...

    load(own)
    assert "/own" in json.loads((await ask(docs.routes, "GET", "/openapi.json")).get_body())["paths"]


async def test_the_page_needs_nothing_from_elsewhere(ask):
    answer = await ask(docs.routes, "GET", "/docs")
    page = answer.get_body().decode()
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert not re.findall(r"\son\w+=|\sstyle=", page), "the content policy would refuse it"
    assert answer.headers["Content-Security-Policy"].count("'sha256-") == 2


def test_no_route_hides_another():
    groups = [console.routes, health.routes, runs.routes, docs.routes]
    assert hidden_routes([operation for group in groups for operation in group.operations]) == []
