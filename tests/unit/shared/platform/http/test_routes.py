import json
import re
from itertools import combinations, product
from types import SimpleNamespace
from uuid import UUID, uuid4

import azure.durable_functions as df
import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from shared.platform.access import auth
from shared.platform.access.auth import PUBLIC
from shared.platform.http import Reply, Routes, hidden_routes, register
from shared.platform.http.inputs import Inputs
from shared.platform.http.openapi import document
from tests.present import present

MARKED = {"__class__": "UUID", "__module__": "uuid", "__data__": "1"}
ADMIN = {"x-admin-key": "s3cret", "x-idempotency-key": "k1"}


@pytest.fixture(autouse=True)
def admin_key(monkeypatch):
    monkeypatch.setattr(auth, "settings", lambda: SimpleNamespace(admin_api_key=SecretStr("s3cret")))


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


async def test_path_parameters_are_typed(ask):
    stone = uuid4()
    answer = await ask("GET", f"/stones/{stone}")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert json.loads(answer.get_body())["name"] == str(stone)
    answer = await ask("GET", "/stones/7")
    problem = json.loads(answer.get_body())
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert problem["errors"][0] | {"detail": ""} == {
        "in": "path", "pointer": "#/stone", "detail": "", "code": "uuid_parsing"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field", "expected"),
    [
        ("", "shape", []),
        ("shape=round", "shape", ["round"]),
        ("shape=round&shape=oval", "shape", ["round", "oval"]),
        ("lab_grown=false", "lab_grown", False),
        ("lab_grown=", "lab_grown", None),
        ("text=a,b", "text", "a,b"),
        ("text=%C3%A9", "text", "é"),
    ],
)
async def test_query(ask, query, field, expected):
    answer = await ask("GET", f"/stones?{query}")
    assert json.loads(answer.get_body())["data"][0]["echoed"][field] == expected


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=1000", "#/limit"),
        ("limit=x", "#/limit"),
        ("shape=square", "#/shape/0"),
        ("text=a&text=b", "#/text"),
        ("nosuch=1", "#/nosuch"),
        ("text=a%00b", "#/text"),
        ("&".join(f"a{n}=1" for n in range(500)), "#"),
    ],
)
async def test_a_query_that_cannot_be_used_is_named(ask, query, pointer):
    answer = await ask("GET", f"/stones?{query}")
    problem = json.loads(answer.get_body())
    assert answer.status_code == 400
    assert (problem["errors"][0]["in"], problem["errors"][0]["pointer"]) == ("query", pointer)


@pytest.mark.parametrize(
    ("query", "echoed"),
    [
        ("nosuch=1", "There is no such field. Leave it out; /docs shows those that there are."),
        ("text=a&text=a", "Send it once."),
    ],
)
async def test_what_is_wrong_with_a_query_is_said_in_plain_words(ask, query, echoed):
    problem = json.loads((await ask("GET", f"/stones?{query}")).get_body())
    assert problem["errors"][0]["detail"] == echoed


async def test_body_headers_and_caller_reach_the_handler(ask):
    answer = await ask("POST", "/stones", {"name": "a", "carats": 0.5}, ADMIN)
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    echoed = json.loads(answer.get_body())["echoed"]
    assert (echoed["stone"]["carats"], echoed["key"], echoed["caller"]) == (0.5, "k1", "admin")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", "#"),
        (b"{", "#"),
        (b"\xff\xfe", "#"),
        (b"[" * 100_0, "#"),
        (b"[]", "#"),
        (b"null", "#"),
        (b'"x"', "#"),
        (b'{"name": "a"}', "#/carats"),
        (b'{"name": "a", "carats": 1, "more": 1}', "#/more"),
        (b'{"name": "a", "carats": NaN}', "#/carats"),
        (b'{"name": "a", "carats": 1e999}', "#/carats"),
        (b'{"name": "a", "carats": 1, "notes": {"a/b~": [-Infinity]}}', "#/notes/a~1b~0/0"),
        (b'{"name": "a\\u0000", "carats": 1}', "#/name"),
        (b'{"name": "a", "carats": 1, "notes": {"\\u0000": 1}}', "#/notes"),
        (b'{"name": "\\ud800", "carats": 1}', "#"),
    ],
)
async def test_a_body_that_cannot_be_used_is_named(ask, body, pointer):
    answer = await ask("POST", "/stones", body, ADMIN | {"content-type": "application/json; charset=utf-8"})
    problem = json.loads(answer.get_body())
    assert answer.status_code == 400, problem
    assert (problem["errors"][0]["in"], problem["errors"][0]["pointer"]) == ("body", pointer)


async def test_every_fault_is_told_at_once(ask):
    answer = await ask("POST", "/stones", {"name": "a"}, {"x-admin-key": "s3cret"})
    places = {(e["in"], e["pointer"]) for e in json.loads(answer.get_body())["errors"]}
    assert places == {("body", "#/carats"), ("header", "#/X-Idempotency-Key")}


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "text/json"])
async def test_only_json_is_read_as_json(ask, content_type):
    answer = await ask("POST", "/stones", b"{}", ADMIN | {"content-type": content_type})
    assert (answer.status_code, json.loads(answer.get_body())["code"]) == (415, "unsupported-media-type")


async def test_a_large_body_is_refused_before_anything_else(ask):
    answer = await ask("POST", "/stones", {"name": "a" * 2000})
    assert answer.status_code == 413
    assert "2,000 bytes" in json.loads(answer.get_body())["detail"]


async def test_a_list_of_models_is_an_array_and_names_its_next_page():
    routes = Routes(tag="t")

    class Named(BaseModel):
        name: str

    async def handler() -> Reply[list[Named]]:
        return Reply([Named(name="a"), Named(name="ü")], headers={"Link": '</x?cursor=2>; rel="next"'})

    handler.__annotations__["return"] = Reply[list[Named]]
    routes.get("/x", needs=PUBLIC, summary="s")(handler)
    answer = await routes.operations[0].answer(func.HttpRequest("GET", "https://app/x", body=b""))
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert json.loads(answer.get_body()) == [{"name": "a"}, {"name": "ü"}]
    assert answer.headers["Link"] == '</x?cursor=2>; rel="next"'
    described = document(routes.operations, title="t", version="1", description="d")["paths"]["/x"]["get"]
    assert described["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    assert described["responses"]["200"]["headers"].keys() == {"Link"}


async def test_accepted_work_has_a_location(ask):
    answer = await ask("POST", "/runs", {"text": "r1"})
    assert (answer.status_code, answer.headers["Location"], answer.headers["Retry-After"]) == (202, "/runs/r1", "2")
    assert json.loads(answer.get_body()) == {"id": "r1", "location": "/runs/r1"}


async def test_a_location_fits_into_a_header(ask):
    answer = await ask("POST", "/runs", {"text": "a b\r\nX-Evil: 1/é"})
    assert answer.headers["Location"] == "/runs/a%20b%0D%0AX-Evil:%201/%C3%A9"


async def test_bytes_that_are_needed_must_be_there(ask):
    assert (await ask("PUT", "/files/a.zip", b"", {"content-type": "application/zip"})).status_code == 400


async def test_an_optional_body_may_be_left_out(ask):
    assert json.loads((await ask("POST", "/runs")).get_body())["id"] == "none"


async def test_nothing_to_say_is_204(ask):
    answer = await ask("DELETE", f"/stones/{uuid4()}")
    assert (answer.status_code, answer.get_body()) == (204, b"")


async def test_bytes_and_the_rest_of_a_path_are_handed_over(ask):
    answer = await ask("PUT", "/files/a/b.zip", b"\x00\xff", {"content-type": "application/zip"})
    assert answer.get_body() == b"PUT a/b.zip 2"


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "/stones", MARKED),
        ("POST", "/stones", {"name": "a", "carats": 1, "notes": MARKED}),
        ("POST", "/runs", {"text": json.dumps(MARKED)} | MARKED),
        ("PUT", "/files/x", MARKED),
        ("GET", "/stones?text=" + json.dumps(MARKED).replace(" ", "").replace('"', "%22"), b""),
    ],
)
async def test_marks_that_rebuild_objects_stay_plain_data(ask, method, url, body):
    """azure-functions rebuilds objects from such marks where it decodes JSON itself; a route never lets it."""
    answer = await ask(method, url, body, ADMIN)
    assert answer.status_code in (200, 201, 202, 400)
    if answer.status_code == 201:
        assert json.loads(answer.get_body())["echoed"]["stone"]["notes"] == MARKED


class Value(BaseModel):
    value: dict[str, object] | list[object] | str | float


async def read_value(body: Value) -> Value:
    return body


any_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.binary(max_size=200) | st.builds(lambda value: json.dumps({"value": value}).encode(), any_json))
async def test_no_body_breaks_a_door(body):
    routes = Routes(tag="t")
    routes.post("/v", needs=PUBLIC, summary="s")(read_value)
    request = func.HttpRequest("POST", "/v", headers={"content-type": "application/json"}, body=body)
    answer = await routes.operations[0].answer(request)
    assert answer.status_code in (200, 400)
    json.loads(answer.get_body(), parse_constant=lambda _: pytest.fail("NaN is no JSON"))


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


async def test_a_handler_that_gives_back_no_model_fails_loudly(caplog):
    routes = Routes(tag="t")

    @routes.get("/x", needs=PUBLIC, summary="s")
    async def handler() -> UUID:
        return uuid4()

    answer = await routes.operations[0].answer(func.HttpRequest("GET", "/x", body=b""))
    assert answer.status_code == 500
    assert "which is no pydantic model" in caplog.text
