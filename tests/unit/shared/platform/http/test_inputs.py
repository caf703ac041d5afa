"""What a request holds is read by the types of the handler, and what cannot be used is named."""

import json
from typing import Annotated
from uuid import uuid4

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from shared.platform.access.auth import PUBLIC
from shared.platform.http import Routes

MARKED = {"__class__": "UUID", "__module__": "uuid", "__data__": "1"}


ADMIN = {"x-admin-key": "s3cret", "x-idempotency-key": "k1"}


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


async def test_bytes_that_are_needed_must_be_there(ask):
    assert (await ask("PUT", "/files/a.zip", b"", {"content-type": "application/zip"})).status_code == 400


async def test_an_optional_body_may_be_left_out(ask):
    assert json.loads((await ask("POST", "/runs")).get_body())["id"] == "none"


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


class NewPassword(BaseModel):
    password: Annotated[SecretStr, Field(min_length=10)]
    earlier: Annotated[list[str], Field(min_length=1)]


async def take_password(body: NewPassword) -> NewPassword:
    return body


async def test_a_secret_has_characters_where_a_list_has_items():
    routes = Routes(tag="t")
    routes.post("/p", needs=PUBLIC, summary="s")(take_password)
    body = b'{"password": "x", "earlier": []}'
    answer = await routes.operations[0].answer(
        func.HttpRequest("POST", "/p", headers={"content-type": "application/json"}, body=body)
    )
    assert [error["detail"] for error in json.loads(answer.get_body())["errors"]] == [
        "Value should have at least 10 characters, not 1",
        "List should have at least 1 item after validation, not 0",
    ]
