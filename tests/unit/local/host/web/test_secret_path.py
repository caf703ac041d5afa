"""What other processes of the machine reach of a port answers those alone who know the path."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from local.host.web.secret_path import SecretPath


async def say(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.path_params['name']}?{request.query_params}")


@pytest.fixture
def guard():
    inner = Starlette(routes=[Route("/instances/{name}", say, methods=["GET", "POST"])])
    return SecretPath(Starlette(routes=[Mount("/durabletask", app=inner)]))


def test_below_its_path_it_is_as_it_was(guard):
    answer = TestClient(guard).post(f"/{guard.key}/durabletask/instances/a%20b?x=1")
    assert (answer.status_code, answer.text) == (200, "a b?x=1")


@pytest.mark.parametrize(
    "path", ["/durabletask/instances/a", "/", "//durabletask/instances/a", "/%FF/durabletask/instances/a", "/x" * 50]
)
def test_elsewhere_there_is_nothing(guard, path):
    assert TestClient(guard).get(path).status_code == 404


def test_each_start_has_a_path_of_its_own(guard):
    assert guard.key != SecretPath(Starlette()).key
    assert len(guard.key) > 40
