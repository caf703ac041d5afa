"""What callers of the replaced system know stays: its routes, and the names and words of what they answer."""

from typing import get_args

import pytest

from shared.followups.people.models import Agent, Client, PropertyType, Stage, Task, TaskStatus
from shared.followups.reporting.dashboard import Stats
from shared.followups.sending.mails import Email, Status
from triggers.followups import followups
from triggers.operations import health

ROUTES = [
    "POST /api/agents/register",
    "POST /api/agents/login",
    "POST /api/agents/google",
    "GET /api/agents/me",
    "GET /api/clients",
    "POST /api/clients",
    "GET /api/clients/{client_id}",
    "PATCH /api/clients/{client_id}",
    "DELETE /api/clients/{client_id}",
    "POST /api/clients/bulk-delete",
    "GET /api/clients/{client_id}/tasks",
    "GET /api/tasks",
    "POST /api/tasks",
    "GET /api/tasks/{task_id}",
    "PATCH /api/tasks/{task_id}",
    "DELETE /api/tasks/{task_id}",
    "GET /api/tasks/diagnostics/due-tasks",
    "POST /api/tasks/process-due",
    "GET /api/emails",
    "POST /api/emails/preview",
    "POST /api/emails/send",
    "DELETE /api/emails/{email_id}",
    "GET /api/dashboard/stats",
    "GET /api/dashboard/recent-activity",
    "GET /health",
    "GET /health/scheduler",
]
FIELDS = {
    Agent: "id email auth_provider name phone title company bio avatar_url is_active",
    Client: "id agent_id name email phone property_address property_type stage notes custom_fields last_contacted"
    " is_deleted email_unsubscribed",
    Task: "id agent_id client_id email_sent_id followup_type scheduled_for status priority notes email_preview"
    " completed_at",
    Email: "id agent_id task_id client_id from to subject body status provider_message_id sent_at opened_at clicked_at"
    " error_message retry_count webhook_events",
    Stats: "total_clients active_clients pending_tasks completed_tasks emails_sent_today emails_sent_this_week"
    " open_rate click_rate conversion_rate",
}
WORDS = {
    PropertyType: {"residential", "commercial", "land", "other"},
    Stage: {"lead", "negotiating", "under_contract", "closed", "lost"},
    TaskStatus: {"pending", "completed", "skipped", "cancelled"},
    Status: {"queued", "sent", "failed", "delivered", "bounced", "opened", "clicked"},
}


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_of_the_replaced_system_is_there(route):
    operations = [one for routes in (*followups.routes, health.routes) for one in routes.operations]
    assert route in {f"{one.method} {one.route}" for one in operations}


@pytest.mark.parametrize("model", FIELDS, ids=lambda model: model.__name__)
def test_what_it_answers_has_the_same_names(model):
    schema = model.model_json_schema(mode="serialization", by_alias=True)
    assert set(FIELDS[model].split()) <= set(schema["properties"])


@pytest.mark.parametrize("words", WORDS, ids=str)
def test_its_words_are_the_same(words):
    assert set(get_args(words)) == WORDS[words]


@pytest.mark.parametrize("path", ["/api/clients", "/api/tasks", "/api/emails", "/api/dashboard/recent-activity"])
def test_a_list_holds_a_hundred_at_most(path):
    [operation] = [
        one for routes in followups.routes for one in routes.operations if (one.method, one.route) == ("GET", path)
    ]
    limit = operation.inputs.types["query"].model_fields["limit"]
    assert max(one.le for one in limit.metadata if hasattr(one, "le")) == 100
