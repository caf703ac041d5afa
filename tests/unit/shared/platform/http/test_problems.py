import json
import logging

import azure.functions as func
import pytest
from pydantic import BaseModel, Field

from shared.platform.access.auth import PUBLIC
from shared.platform.errors import InvalidInput
from shared.platform.http import Routes
from shared.platform.http.openapi import document


class Counted(BaseModel):
    count: int


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("conflict", 409, "held"),
        ("missing", 404, "not-found"),
        ("limited", 429, "rate-limited"),
        ("field", 400, "invalid-input"),
        ("transient", 503, "postgres-unavailable"),
        ("unforeseen", 500, "internal-error"),
    ],
)
async def test_each_error_has_its_status(ask, how, status, code):
    answer = await ask("GET", f"/fail/{how}")
    problem = json.loads(answer.get_body())
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert (problem["status"], problem["code"], problem["instance"]) == (status, code, f"/fail/{how}")
    assert problem["type"] == f"urn:manifold:problem:{code}"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_group_of_routes_may_have_another_status_for_what_cannot_be_used():
    routes = Routes(tag="t", unusable=422)

    @routes.post("/notes", needs=PUBLIC, summary="s")
    async def take(body: Counted) -> Counted:
        raise InvalidInput("Not this one.", field="count")

    [operation] = routes.operations
    for body in (b"{", b"{}", b'{"count": 1}'):
        headers = {"Content-Type": "application/json"}
        answer = await operation.answer(
            func.HttpRequest(method="POST", url="https://app/notes", headers=headers, body=body)
        )
        assert (answer.status_code, json.loads(answer.get_body())["status"]) == (422, 422)
    responses = document([operation], title="t", version="1", description="d")["paths"]["/notes"]["post"]["responses"]
    assert ("422" in responses, "400" in responses) == (True, False)
    assert take


async def test_the_remedy_is_told(ask):
    assert json.loads((await ask("GET", "/fail/conflict")).get_body())["remedy"] == "Wait until 12:00."


async def test_a_field_named_by_the_domain_is_pointed_at(ask):
    problem = json.loads((await ask("GET", "/fail/field")).get_body())
    assert problem["errors"][0]["pointer"] == "#/order/day"


class Page(BaseModel):
    cursor: str | None = None


class Condition(BaseModel):
    if_match: str | None = Field(default=None, alias="If-Match")


class Mail(BaseModel):
    to_email: str | None = Field(default=None, alias="toEmail")


@pytest.mark.parametrize(
    ("field", "part", "pointer"),
    [
        ("note", "path", "#/note"),
        ("cursor", "query", "#/cursor"),
        ("If-Match", "header", "#/If-Match"),
        ("count", "body", "#/count"),
        ("toEmail.0", "body", "#/toEmail/0"),
        ("to_email", "body", "#/to_email"),
        ("body", "body", "#"),
        ("SETTING", None, "#/SETTING"),
    ],
)
async def test_a_field_named_by_the_domain_is_named_with_its_part_of_the_request(field, part, pointer):
    routes = Routes(tag="t")

    @routes.post("/notes/{note}", needs=PUBLIC, summary="s")
    async def take(note: str, query: Page, headers: Condition, body: Counted | Mail) -> None:
        raise InvalidInput("Not this one.", field=field)

    [operation] = routes.operations
    headers = {"Content-Type": "application/json"}
    answer = await operation.answer(
        func.HttpRequest("POST", "https://app/notes/1", headers=headers, route_params={"note": "1"}, body=b"{}")
    )
    [problem] = json.loads(answer.get_body())["errors"]
    assert (problem.get("in"), problem["pointer"]) == (part, pointer)
    assert take


async def test_a_field_of_what_is_handed_over_unread_stood_in_the_body():
    routes = Routes(tag="t")

    @routes.put("/files", needs=PUBLIC, summary="s")
    async def keep(body: bytes) -> None:
        raise InvalidInput("It is empty.", field="file")

    answer = await routes.operations[0].answer(func.HttpRequest("PUT", "https://app/files", body=b"x"))
    [problem] = json.loads(answer.get_body())["errors"]
    assert (problem["in"], problem["pointer"]) == ("body", "#/file")
    assert keep


@pytest.mark.parametrize(("how", "seconds"), [("transient", "8"), ("limited", "1")])
async def test_whoever_may_come_back_is_told_when(ask, how, seconds):
    assert (await ask("GET", f"/fail/{how}")).headers["Retry-After"] == seconds


@pytest.mark.parametrize("how", ["unforeseen", "transient"])
async def test_what_lies_behind_a_failure_stays_in_the_log(ask, how, caplog):
    with caplog.at_level(logging.ERROR):
        answer = await ask("GET", f"/fail/{how}", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    text = answer.get_body().decode()
    assert "hunter2" not in text
    assert "10.0.0.7" not in text
    assert json.loads(text)["trace_id"] == "ab" * 16
    (record,) = caplog.records
    assert (record.trace_id, record.exc_info[0] is not None) == ("ab" * 16, True)


@pytest.mark.parametrize("traceparent", ["", "nonsense", f"00-{'zz' * 16}-{'cd' * 8}-01"])
async def test_a_failure_without_a_trace_gets_its_own(ask, traceparent):
    first, second = [
        json.loads((await ask("GET", "/fail/unforeseen", headers={"traceparent": traceparent})).get_body())["trace_id"]
        for _ in range(2)
    ]
    assert first != second
    assert len(first) == 32


async def test_refusals_are_not_logged_as_failures(ask, caplog):
    await ask("GET", "/fail/conflict")
    assert not caplog.records


async def test_the_refused_value_is_not_repeated(ask):
    answer = await ask("GET", "/stones?limit=s3cret-value")
    assert "s3cret-value" not in answer.get_body().decode()
