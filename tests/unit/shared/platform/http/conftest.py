"""A small app with every kind of route, called the way the worker calls it: through the functions it indexes."""

import inspect
import json
import re
from collections.abc import Awaitable, Callable
from enum import StrEnum
from types import SimpleNamespace
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import azure.durable_functions as df
import azure.functions as func
import pytest
from pydantic import BaseModel, Field, SecretStr

from shared.platform.access import auth
from shared.platform.access.auth import ADMIN, PUBLIC, Caller
from shared.platform.errors import Conflict, InvalidInput, NotFound, RateLimited, TransientError
from shared.platform.http import Accepted, Page, PageQuery, Pagination, Reply, Routes, register
from shared.platform.http.routes import Operation
from tests.present import present

Ask = Callable[..., Awaitable[func.HttpResponse]]


class Shape(StrEnum):
    ROUND = "round"
    OVAL = "oval"


class Stone(BaseModel, extra="forbid"):
    name: str = Field(max_length=40)
    carats: float = Field(gt=0)
    shape: Shape | None = None
    notes: dict[str, Any] = {}


class Search(PageQuery):
    shape: list[Shape] = Field(default=[])
    lab_grown: bool | None = None
    text: str | None = None


class Idempotency(BaseModel):
    key: str = Field(alias="X-Idempotency-Key", max_length=20)


class Echo(BaseModel):
    echoed: dict[str, Any]


class Note(BaseModel):
    text: str = "none"


class Client:
    """Stands for the durable client: made of what the binding gives."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw


FAILURES = {
    "unforeseen": RuntimeError("password=hunter2"),
    "transient": TransientError("db at 10.0.0.7 is down", code="postgres-unavailable", retry_after=7.2),
    "conflict": Conflict("It is held.", code="held", remedy="Wait until 12:00."),
    "missing": NotFound("There is no such stone."),
    "limited": RateLimited("Too many requests.", retry_after=0.2),
    "field": InvalidInput("Not for sale on Sundays.", field="order.day"),
}


def example_routes() -> Routes:
    routes = Routes(tag="stones")

    @routes.get("/stones/{stone}", needs=PUBLIC, summary="One stone")
    async def read_stone(stone: UUID) -> Stone:
        """What is known about the stone."""
        return Stone(name=str(stone), carats=1)

    @routes.get("/stones", needs=PUBLIC, summary="Stones")
    async def find_stones(query: Search) -> Page[Echo]:
        echoed = query.model_dump(mode="json")
        return Page(data=[Echo(echoed=echoed)], pagination=Pagination(limit=query.limit, next="more"))

    @routes.post("/stones", needs=ADMIN, summary="Add a stone", status=201, limit=2000)
    async def add_stone(body: Stone, headers: Idempotency, caller: Caller) -> Reply[Echo]:
        echoed = {"stone": body.model_dump(), "key": headers.key, "caller": caller.name}
        return Reply(Echo(echoed=echoed), status=201, headers={"ETag": '"1"'})

    @routes.post("/runs", needs=PUBLIC, summary="Start a run")
    async def start_run(client: Client, body: Note = Note()) -> Accepted:  # noqa: B008 - an immutable default
        assert isinstance(client, Client)
        return Accepted(id=body.text, location=f"/runs/{body.text}")

    @routes.delete("/stones/{stone}", needs=PUBLIC, summary="Remove a stone")
    async def remove_stone(stone: UUID) -> None: ...

    @routes.get("/fail/{how}", needs=PUBLIC, summary="Fail")
    async def fail(how: Annotated[str, Field(max_length=12)]) -> None:
        raise FAILURES[how]

    @routes.put(
        "/files/{*path}", needs=PUBLIC, summary="Keep a file", consumes="application/zip", produces="text/plain"
    )
    async def keep_file(path: str, body: bytes, request: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(f"{request.method} {path} {len(body)}")

    return routes


@pytest.fixture(autouse=True)
def admin_key(monkeypatch):
    """The operator's key, which callers send as X-Admin-Key."""
    monkeypatch.setattr(auth, "settings", lambda: SimpleNamespace(admin_api_key=SecretStr("s3cret")))


@pytest.fixture
def operations() -> list[Operation]:
    return example_routes().operations


@pytest.fixture
def ask() -> Ask:
    app = df.DFApp()
    register(app, example_routes())
    functions = app.get_functions()

    async def ask(
        method: str, url: str, body: object = b"", headers: dict[str, str] | None = None
    ) -> func.HttpResponse:
        path = urlsplit(url).path
        for function in sorted(functions, key=lambda f: present(f.get_function_name()).lower()):
            trigger = present(function.get_trigger()).get_dict_repr()
            pattern = re.sub(r"\{\*(\w+)\}", r"(?P<\1>.*)", "/" + trigger["route"])
            match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), path)
            if match and method in [m.value for m in trigger["methods"]]:
                break
        else:
            pytest.fail(f"No function answers {method} {url}.")
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers = {"content-type": "application/json"} | (headers or {})
        parts = {name: unquote(value) for name, value in match.groupdict().items()}
        request = func.HttpRequest(method, url, headers=headers or {}, route_params=parts, body=body)
        bindings: dict[str, Any] = {"req": request}
        entry: Any = function.get_user_function()
        if "client" in inspect.signature(entry).parameters:
            entry, bindings["client"] = entry.client_function, object()
        answer = await entry(**bindings)
        assert isinstance(answer, func.HttpResponse)
        return answer

    return ask
