"""None"""

import re
from itertools import combinations, product

import azure.durable_functions as df
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platform.access.auth import PUBLIC
from shared.platform.http import Routes, hidden_routes, register
from shared.platform.http.inputs import Inputs
from tests.present import present


def test_the_worker_sees_only_bindings():
    app = df.DFApp()

    class Client: ...

    routes = Routes(tag="t")

    @routes.post("/x/{run}", needs=PUBLIC, summary="s")
    async def handler(run: int, client: Client) -> None: ...

    register(app, routes)
    (function,) = app.get_functions()
    assert function.get_function_name() == "handler"
    assert {b.name: b.type for b in function.get_bindings()} == {
        "client": "durableClient",
        "req": "httpTrigger",
        "$return": "http",
    }
    assert present(function.get_trigger()).get_dict_repr()["route"] == "x/{run}"
    assert present(function.get_trigger()).get_dict_repr()["authLevel"].value == "anonymous"
    # the worker takes the client as text, and refuses parameters that are no bindings
    assert function.get_user_function().__annotations__["client"] is str


def test_a_route_needs_a_guard():
    with pytest.raises(TypeError, match="needs"):
        Routes(tag="t").get("/x", summary="s")


def test_a_parameter_that_nothing_fills_is_refused():
    async def handler(run: int, extra: str) -> None: ...

    with pytest.raises(TypeError, match="extra"):
        Inputs(handler, ["run"])
    with pytest.raises(TypeError, match="'key'"):
        Inputs(handler, ["run", "extra", "key"])


def test_a_route_that_another_hides_is_refused():
    routes = Routes(tag="t")

    @routes.get("/runs/latest", needs=PUBLIC, summary="s")
    async def latest_run() -> None: ...

    @routes.get("/runs/{run}", needs=PUBLIC, summary="s")
    async def a_run(run: str) -> None: ...

    @routes.post("/runs/{run}", needs=PUBLIC, summary="s")
    async def change_run(run: str) -> None: ...

    assert len(hidden_routes(routes.operations)) == 1
    with pytest.raises(ValueError, match=r"latest_run.*Rename"):
        register(df.DFApp(), routes)


segments = st.sampled_from(["a", "B", "{x}", "{y}"])


templates = st.builds(
    lambda parts, rest: "/" + "/".join([*parts, *rest]),
    st.lists(segments, min_size=1, max_size=3, unique=True),
    st.sampled_from([[], ["{*rest}"]]),
)


@given(st.lists(templates, min_size=2, max_size=4, unique=True))
def test_hidden_routes_are_those_the_host_would_never_reach(paths):
    """Judged by asking, path by path, which function the host would run."""
    routes = Routes(tag="t")
    for index, path in enumerate(paths):

        async def handler() -> None: ...

        names = re.findall(r"\w+(?=})", path)
        handler.__name__ = f"handler_{index}"
        handler.__annotations__ = dict.fromkeys(names, str) | {"return": None}
        routes.get(path, needs=PUBLIC, summary="s")(handler)
    patterns = [
        re.compile(re.sub(r"\{\w\}", "[^/]+", path.replace("/{*rest}", "(/.*)?")), re.IGNORECASE) for path in paths
    ]
    asked = ["/" + "/".join(parts) for n in (1, 2, 3, 4) for parts in product(["a", "b", "c"], repeat=n)]
    hidden = {
        second
        for first, second in combinations(range(len(paths)), 2)
        if all(patterns[first].fullmatch(path) for path in asked if patterns[second].fullmatch(path))
    }
    told = {
        index
        for index in range(len(paths))
        for line in hidden_routes(routes.operations)
        if f"(handler_{index})" in line
    }
    assert told == hidden
