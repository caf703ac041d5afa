"""What passes between visitors and apps, and what does not."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from local.apps.revisions.proxy import forward, make_client
from local.host.web.embedded import EmbeddedServer, listen
from local.processes import LOOPBACK
from tests.present import untyped


async def visit(request: Request) -> PlainTextResponse:
    """Shows the cookies that came, and sets one."""
    answer = PlainTextResponse(request.headers.get("cookie", "none"))
    answer.set_cookie("session", request.query_params["who"], domain=None)
    return answer


async def show_headers(request: Request) -> JSONResponse:
    """Each header that tells who asked, with all its values."""
    names = {name for name in request.headers if name.startswith("x-forwarded")}
    return JSONResponse({name: request.headers.getlist(name) for name in names})


@pytest.fixture
async def port():
    bound = listen(LOOPBACK, 0)
    server = EmbeddedServer(Starlette(routes=[Route("/", visit), Route("/headers", show_headers)]), bound)
    await server.start()
    yield bound.getsockname()[1]
    await server.stop()


@pytest.fixture
async def visitor(port):
    """A visitor of the app; all of them share the proxy's client."""

    @contextmanager
    def in_use():
        yield

    revision = untyped(SimpleNamespace(port=port, in_use=in_use))
    async with make_client() as client:

        async def app(scope, receive, send):
            await forward(client, revision, scope, receive, send)

        yield lambda: httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app.test")


async def test_a_visitors_cookies_are_sent_for_that_visitor_only(visitor) -> None:
    async with visitor() as first, visitor() as second:
        assert (await first.get("/?who=first")).text == "none"
        assert (await second.get("/?who=second")).text == "none"
        assert (await first.get("/?who=first")).text == "session=first"


async def test_defect_a_visitor_says_for_which_host_and_by_which_protocol_it_asks(visitor) -> None:
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    async with visitor() as one:
        assert (await one.get("/headers", headers=lies)).json() == {
            "x-forwarded-for": ["203.0.113.9, 127.0.0.1"],
            "x-forwarded-proto": ["http"],
            "x-forwarded-host": ["app.test"],
        }
        assert (await one.get("/headers")).json()["x-forwarded-for"] == ["127.0.0.1"]
