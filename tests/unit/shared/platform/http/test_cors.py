"""Pages of named origins may call, from a browser, and no others."""

from typing import Any

import azure.functions as func
import pytest
from pydantic import BaseModel

from shared.platform.access.auth import PUBLIC
from shared.platform.errors import NotFound
from shared.platform.http import Routes, register
from shared.platform.http.cors import Cors, Origins

PAGE = "https://shop.example"


class Answer(BaseModel):
    echoed: str = "hello"


class Registry:
    """Keeps the functions that an app would get, by name."""

    def __init__(self) -> None:
        self.functions: dict[str, Any] = {}
        self.routes: dict[str, tuple[str, list[str]]] = {}

    def function_name(self, name: str) -> Any:
        def keep(routed: Any) -> Any:
            function, route, methods = routed
            self.functions[name], self.routes[name] = function, (route, methods)
            return function

        return keep

    def route(self, *, route: str, methods: list[str], auth_level: Any) -> Any:
        return lambda function: (function, route, methods)

    def durable_client_input(self, **_: Any) -> Any:
        return lambda function: function


def app(origins: Origins) -> Registry:
    routes = Routes("t", Cors("/api/v1", lambda: origins, sent=("Authorization",), shown=("X-Lsn",)))

    @routes.get("/api/v1/hello", needs=PUBLIC, summary="s")
    async def say_hello() -> Answer:
        return Answer()

    @routes.get("/api/v1/nothing", needs=PUBLIC, summary="s")
    async def say_nothing() -> Answer:
        raise NotFound("no")

    registry = Registry()
    register(registry, routes)
    return registry


async def ask(origins: Origins, function: str, origin: str | None) -> dict[str, str]:
    headers = {"Origin": origin} if origin else {}
    request = func.HttpRequest("GET", "/api/v1/hello", headers=headers, route_params={"path": "hello"}, body=b"")
    answer = await app(origins).functions[function](request)
    return {name: value for name, value in answer.headers.items() if name.lower().startswith(("access", "vary"))}


@pytest.mark.parametrize("function", ["say_hello", "say_nothing"])
async def test_a_page_of_a_named_origin_may_read_answers_and_refusals(function: str) -> None:
    assert await ask(Origins(frozenset({PAGE}), credentials=True), function, PAGE) == {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": PAGE,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-Lsn",
    }


@pytest.mark.parametrize("origin", [None, "https://shop.example.evil", "http://shop.example", "null", PAGE + ":8443"])
async def test_no_other_page_may(origin: str | None) -> None:
    for function in ("say_hello", "preflight_api_v1"):
        assert await ask(Origins(frozenset({PAGE})), function, origin) == {"Vary": "Origin"}
        assert await ask(Origins(), function, origin) == {"Vary": "Origin"}


async def test_a_browser_that_asks_first_learns_what_the_page_may_send() -> None:
    assert app(Origins()).routes["preflight_api_v1"] == ("api/v1/{*path}", ["OPTIONS"])
    assert await ask(Origins(frozenset({PAGE})), "preflight_api_v1", PAGE) == {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": PAGE,
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "Authorization",
        "Access-Control-Max-Age": "600",
    }


async def test_any_origin_is_let_in_without_credentials_alone() -> None:
    found = await ask(Origins(frozenset({"*"})), "say_hello", "https://anywhere.example")
    assert found == {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Lsn"}
    with pytest.raises(ValueError, match="every page could act"):
        Origins(frozenset({"*", PAGE}), credentials=True)
