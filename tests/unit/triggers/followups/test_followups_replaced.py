"""What callers of the replaced system know stays: its routes, what they are sent, and the shape of what they answer."""

import re
from typing import get_args

import pytest

from shared.followups.people.models import PropertyType, Stage, TaskStatus
from shared.followups.sending.mails import Status
from shared.platform.http.openapi import document
from triggers.followups import followups
from triggers.operations import health

# A field that ends in ? may be null. `time` is a text with a moment, `word` one of a few texts.
AGENT = {
    "id": "int", "email": "text", "auth_provider": "word", "name": "text", "phone": "text?", "title": "text?",
    "company": "text?", "bio": "text?", "avatar_url": "text?", "is_active": "bool", "created_at": "time",
}  # fmt: skip
SESSION = {"access_token": "text", "token_type": "word", "agent": AGENT}
CLIENT = {
    "id": "int", "agent_id": "int", "name": "text?", "email": "text", "phone": "text?", "property_address": "text?",
    "property_type": "word", "stage": "word", "notes": "text?", "custom_fields": "object", "last_contacted": "time?",
    "is_deleted": "bool", "email_unsubscribed": "bool", "created_at": "time", "updated_at": "time",
}  # fmt: skip
TASK = {
    "id": "int", "agent_id": "int", "client_id": "int", "email_sent_id": "int?", "followup_type": "text",
    "scheduled_for": "time", "status": "word", "priority": "word", "notes": "text?", "completed_at": "time?",
    "email_preview?": {"subject": "text", "body": "text"}, "created_at": "time", "updated_at": "time",
}  # fmt: skip
EMAIL = {
    "id": "int", "agent_id": "int", "task_id": "int", "client_id": "int", "from": "text?", "to": "text?",
    "subject": "text?", "body": "text?", "status": "word", "provider_message_id": "text?", "sent_at": "time?",
    "opened_at": "time?", "clicked_at": "time?", "error_message": "text?", "retry_count": "int", "created_at": "time",
    "webhook_events": [{"kind": "text", "happened_at": "time"}],
}  # fmt: skip
STATS = {
    "total_clients": "int", "active_clients": "int", "pending_tasks": "int", "completed_tasks": "int",
    "emails_sent_today": "int", "emails_sent_this_week": "int", "open_rate": "number", "click_rate": "number",
    "conversion_rate": "number",
}  # fmt: skip
DONE = {"success": "word"}
PAGE = {"limit": "int", "next": "text?"}


def listed(row):
    """A list comes page by page."""
    return {"data": [row], "pagination": PAGE}


CLIENT_FIELDS = "name phone property_address property_type stage notes custom_fields"
# Route: status, answer, and what the caller may send in its body or, after a ?, its query.
ROUTES = {
    "POST /api/agents/register": (201, SESSION, "email password name phone title company bio"),
    "POST /api/agents/login": (200, SESSION, "email password"),
    "POST /api/agents/google": (200, SESSION, "credential"),
    "GET /api/agents/me": (200, AGENT, ""),
    "PATCH /api/agents/me": (200, AGENT, "name phone title company bio avatar_url"),
    "GET /api/clients": (200, listed(CLIENT), "?limit stage search"),
    "POST /api/clients": (201, CLIENT, f"email {CLIENT_FIELDS}?create_tasks"),
    "GET /api/clients/{client_id}": (200, CLIENT, ""),
    "PATCH /api/clients/{client_id}": (200, CLIENT, f"email {CLIENT_FIELDS}"),
    "DELETE /api/clients/{client_id}": (200, DONE, ""),
    "DELETE /api/clients/bulk": (
        200,
        DONE | {"deleted_count": "int", "failed_ids": ["int"], "total_requested": "int"},
        "ids",
    ),
    "GET /api/clients/{client_id}/tasks": (200, listed(TASK), "?limit"),
    "GET /api/tasks": (200, listed(TASK), "?limit status client_id"),
    "POST /api/tasks": (201, TASK, "client_id followup_type scheduled_for notes priority"),
    "GET /api/tasks/{task_id}": (200, TASK, ""),
    "PATCH /api/tasks/{task_id}": (200, TASK, "status scheduled_for notes priority"),
    "DELETE /api/tasks/{task_id}": (200, DONE, ""),
    "GET /api/tasks/diagnostics/due-tasks": (
        200,
        listed({"task_id": "int", "scheduled_for": "time", "sent": "bool", "reason": "text?"}),
        "?limit",
    ),
    "POST /api/tasks/process-due": (202, {"id": "text", "location": "text"}, ""),
    "GET /api/emails": (200, listed(EMAIL), "?limit client_id"),
    "GET /api/emails/{email_id}": (200, EMAIL, ""),
    "POST /api/emails/preview": (200, {"subject": "text", "body": "text"}, "client_id task_id agent_instructions"),
    "POST /api/emails/send": (201, EMAIL, "client_id task_id to_email subject body"),
    "DELETE /api/emails/{email_id}": (200, DONE, ""),
    "GET /api/dashboard/stats": (200, STATS, ""),
    "GET /api/dashboard/recent-activity": (
        200,
        listed({"kind": "word", "at": "time", "client_id": "int", "text": "text"}),
        "?limit",
    ),
    "GET /health": (200, {"status": "word"}, ""),
    "GET /health/scheduler": (200, {"status": "word", "reasons": ["text"]}, ""),
}
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
    responses = operation_of(api, route)["responses"]
    assert ("400" in responses) == ("?limit" in ROUTES[route][2]), "only of a cursor, which callers of then do not send"
    assert ("422" in responses) == bool(ROUTES[route][2] or "{" in route)


@pytest.mark.parametrize("words", WORDS, ids=str)
def test_its_words_are_the_same(words):
    assert set(get_args(words)) == WORDS[words]


@pytest.mark.parametrize("route", [route for route in ROUTES if "?limit" in ROUTES[route][2]])
def test_a_list_holds_a_hundred_at_most_and_goes_on_by_a_cursor(api, route):
    parameters = {one["name"]: one["schema"] for one in operation_of(api, route)["parameters"]}
    assert parameters["limit"]["maximum"] == 100
    assert "cursor" in parameters
