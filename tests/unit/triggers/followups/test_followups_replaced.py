"""What callers of the replaced system know stays: its routes, what they are sent, and the shape of what they answer."""

import re
from typing import get_args

import pytest

from shared.followups.people.models import PropertyType, Stage, TaskStatus
from shared.followups.sending.mails import Status
from shared.platform.http.openapi import document
from tests.unit.triggers.followups.replaced import ROUTES
from triggers.followups import followups
from triggers.operations import health

WORDS = {
    PropertyType: {"residential", "commercial", "land", "other"},
    Stage: {"lead", "negotiating", "under_contract", "closed", "lost"},
    TaskStatus: {"pending", "completed", "skipped", "cancelled"},
    Status: {"queued", "sent", "failed", "delivered", "bounced", "opened", "clicked"},
}


@pytest.fixture(scope="module")
def api():
    operations = [one for routes in (*followups.routes, health.routes) for one in routes.operations]
    return document(operations, title="t", version="1", description="d")


def resolved(api, schema):
    return api["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def shape(api, schema):
    """A schema in the words of the tables above."""
    schema = resolved(api, schema)
    if options := schema.get("anyOf"):
        some = [shape(api, option) for option in options if option != {"type": "null"}]
        assert len(some) == 1, schema
        return f"{some[0]}?" if isinstance(some[0], str) and len(some) < len(options) else some[0]
    if "enum" in schema or "const" in schema:
        return "word"
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {
                name + ("?" if nullable(api, inner) else ""): shape(api, inner)
                for name, inner in schema["properties"].items()
            }
        case "array":
            return [shape(api, schema["items"])] if "items" in schema else ["?"]
        case "string":
            return "time" if schema.get("format") == "date-time" else "text"
        case kind:
            return {"integer": "int", "boolean": "bool"}.get(kind, kind)


def nullable(api, schema):
    """Whether it is an object or null: of plain values the type says it."""
    options = schema.get("anyOf", [])
    return {"type": "null"} in options and any(resolved(api, one).get("type") == "object" for one in options)


def holds(given, wanted):
    """Whether an answer has all that callers know, as they know it; more may be there."""
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(name in given and holds(given[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        return isinstance(given, list) and holds(given[0], wanted[0])
    return given == wanted


def operation_of(api, route):
    method, path = route.split(" ")
    return api["paths"][path][method.lower()]


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_answers_as_the_replaced_system_does(api, route):
    status, wanted, _ = ROUTES[route]
    responses = operation_of(api, route)["responses"]
    assert [code for code in responses if code.startswith("2")] == [str(status)]
    answer = shape(api, responses[str(status)]["content"]["application/json"]["schema"])
    assert holds(answer, wanted), answer


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_takes_what_callers_of_the_replaced_system_send(api, route):
    body, _, query = ROUTES[route][2].partition("?")
    operation = operation_of(api, route)
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    fields = resolved(api, content)
    assert set(body.split()) <= set(fields.get("properties", {}))
    assert set(fields.get("required", [])) <= set(body.split()), "it asks for more than they send"
    parameters = {one["name"]: one for one in operation["parameters"]}
    assert set(query.split()) <= parameters.keys()
    assert {name for name, one in parameters.items() if one["required"]} == set(re.findall(r"{(\w+)}", route))


@pytest.mark.parametrize("route", [route for route in ROUTES if "/api/" in route])
def test_a_request_that_cannot_be_used_is_422_where_there_is_something_to_send(api, route):
    operation = operation_of(api, route)
    responses = operation["responses"]
    cursor = "cursor" in [one["name"] for one in operation["parameters"]]
    assert ("400" in responses) == cursor, "only of a cursor, which callers of then do not send"
    assert ("422" in responses) == bool(ROUTES[route][2] or "{" in route)


@pytest.mark.parametrize("words", WORDS, ids=str)
def test_its_words_are_the_same(words):
    assert set(get_args(words)) == WORDS[words]


@pytest.mark.parametrize("route", [route for route in ROUTES if "limit" in ROUTES[route][2]])
def test_a_list_holds_a_hundred_at_most_and_goes_on_by_a_cursor(api, route):
    parameters = {one["name"]: one["schema"] for one in operation_of(api, route)["parameters"]}
    assert parameters["limit"]["maximum"] == 100
    assert "cursor" in parameters
