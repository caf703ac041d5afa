"""Who has not signed in is refused, and an agent sees only its own data."""

from datetime import UTC, datetime, timedelta

import azure.functions as func
import jwt
import pytest

from shared.followups.people import tokens
from shared.platform.access.tokens import ISSUER, key_id
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.conftest import OPERATIONS, SECRET


def forged(key=SECRET, algorithm="HS256", **changed):
    """A token of agent 1 as the app signs it, but for what is changed; None leaves a claim out."""
    now = datetime.now(UTC)
    claims = {"sub": "1", "iat": now, "exp": now + timedelta(hours=1), "iss": ISSUER, "aud": tokens.AUDIENCE, **changed}
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, key, algorithm, headers={"kid": key_id(SECRET)})


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        forged("x" * 32),
        forged("", "none"),
        forged(exp=datetime(2020, 1, 1, tzinfo=UTC)),
        forged(exp=None),
        forged(aud="another"),
        forged(iss="another"),
        forged(sub="999"),
    ],
)
async def test_a_token_that_is_not_ours_or_not_good_any_more_is_refused(web, token):
    await web.register()
    web.token = token
    await web("GET", "/api/clients", status=401)


async def test_a_token_that_is_ours_lets_in_its_agent(web, crm):
    await web.register()
    [agent] = await crm.fetch("select id from followups.agents")
    web.token = forged(sub=str(agent["id"]))
    await web("GET", "/api/clients")


async def test_without_a_key_for_tokens_nobody_signs_in(web, monkeypatch):
    await web.register()
    monkeypatch.setenv("FOLLOWUPS_JWT_SECRET", "unset")
    forget_settings()
    await web("GET", "/api/agents/me", status=403)


async def test_another_agent_finds_nothing_of_the_first(web, crm):
    await web.register(send_mode="approve")
    client = await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    [mail] = await web("GET", "/api/emails")
    await web.register("bob@example.com")
    task = mail["task_id"]
    for method, path, body in [
        ("GET", f"/api/clients/{client['id']}", None),
        ("PATCH", f"/api/clients/{client['id']}", {"name": "x"}),
        ("DELETE", f"/api/clients/{client['id']}", None),
        ("POST", f"/api/clients/{client['id']}/pause", None),
        ("GET", f"/api/clients/{client['id']}/tasks", None),
        ("GET", f"/api/tasks/{task}", None),
        ("GET", f"/api/tasks/{task}/why", None),
        ("PATCH", f"/api/tasks/{task}", {"priority": "low"}),
        ("DELETE", f"/api/tasks/{task}", None),
        ("GET", f"/api/emails/{mail['id']}", None),
        ("PATCH", f"/api/emails/{mail['id']}", {"subject": "x", "body": "y"}),
        ("POST", f"/api/emails/{mail['id']}/approve", None),
        ("POST", f"/api/emails/{mail['id']}/test", None),
        ("DELETE", f"/api/emails/{mail['id']}", None),
        ("POST", "/api/emails/preview", {"task_id": task}),
        ("POST", "/api/emails/send", {"client_id": client["id"], "subject": "x", "body": "y"}),
    ]:
        await web(method, path, body, status=404)
    for path in ("/api/clients", "/api/tasks", "/api/emails", "/api/dashboard/recent-activity"):
        assert await web("GET", path) == []


async def test_every_route_but_the_public_ones_refuses_who_has_not_signed_in(web):
    public = {"followups_login", "followups_health", "followups_ask_unsubscribe", "followups_unsubscribe"}
    public |= {"followups_head_unsubscribe"}
    public |= {"followups_ses_events", "followups_resend_events", "followups_communication_events", "followups_google"}
    public |= {"followups_mail_password", "followups_password_page", "followups_set_password"}
    for operation in OPERATIONS:
        if operation.name not in public:
            request = func.HttpRequest(method=operation.method, url="https://app/", headers={}, body=b"")
            assert (await operation.answer(request)).status_code in (401, 403), operation.name
