import json
import re

from shared.platform.auth import PUBLIC
from shared.platform.http import Routes, hidden_routes
from triggers import console, health, ops
from triggers.docs import documentation


async def test_the_document_holds_every_route_that_is_not_hidden(ask):
    routes = documentation(health.routes, ops.routes, version="1.2")
    answer = await ask(routes, "GET", "/openapi.json")
    api = json.loads(answer.get_body())
    assert (answer.status_code, answer.mimetype, api["info"]["version"]) == (200, "application/json", "1.2")
    assert set(api["paths"]) == {
        operation.route for group in (health.routes, ops.routes) for operation in group.operations
    }


async def test_routes_declared_later_are_in_it(ask):
    late = Routes(tag="late")
    routes = documentation(late, version="1")

    @late.get("/late", needs=PUBLIC, summary="s")
    async def late_door() -> None: ...

    assert "/late" in json.loads((await ask(routes, "GET", "/openapi.json")).get_body())["paths"]


async def test_the_page_needs_nothing_from_elsewhere(ask):
    answer = await ask(documentation(version="1"), "GET", "/docs")
    page = answer.get_body().decode()
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert not re.findall(r"\son\w+=|\sstyle=", page), "the content policy would refuse it"
    assert answer.headers["Content-Security-Policy"].count("'sha256-") == 2


def test_no_route_hides_another():
    groups = [console.routes, health.routes, ops.routes]
    operations = [o for group in (*groups, documentation(*groups, version="1")) for o in group.operations]
    assert hidden_routes(operations) == []
