"""The routes as agents and operators use them; an agent sees only its own data."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import azure.functions as func
import jwt
import pytest

from shared.followups.people import passwords, tokens
from shared.platform.access.failed_attempts import failed_attempts
from shared.platform.settings import forget_settings
from triggers.followups import followups

SECRET, ADMIN_KEY = "s" * 32, "the-admin-key"
OPERATIONS = [operation for routes in followups.routes for operation in routes.operations]


class Web:
    """Calls routes in this process, as whoever has signed in."""

    def __init__(self):
        self.token, self.status = None, None

    async def __call__(self, method, path, body=None, *, status=200, admin=False):
        url = urlsplit(path)
        for operation in sorted(OPERATIONS, key=lambda one: one.name):
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.route)
            if operation.method == method and (found := re.fullmatch(pattern, url.path)):
                break
        else:
            raise AssertionError(f"no route takes {method} {path}")
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"X-Admin-Key": ADMIN_KEY} if admin else {}
        request = func.HttpRequest(
            method=method,
            url=f"https://app.example.com{path}",
            headers=headers,
            route_params=found.groupdict(),
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer = await operation.answer(request)
        assert answer.status_code == status, answer.get_body()
        return json.loads(answer.get_body() or b"null")

    async def register(self, email="alice@example.com", **profile):
        given = {"email": email, "password": "a long password", "name": "Alice Agent", "company": "Acme"}
        given |= {"postal_address": "1 Main Street", "opens": "00:00", "closes": "23:59:59"}
        given |= {"working_days": [1, 2, 3, 4, 5, 6, 7], **profile}
        session = await self("POST", "/api/agents/register", given, status=201, admin=True)
        self.token = session["access_token"]
        return session["agent"]

    async def client(self, email="ann@example.com", **fields):
        return await self("POST", "/api/clients", {"email": email, "name": "Ann Client", **fields}, status=201)


@pytest.fixture
def web(crm, mails, monkeypatch):
    monkeypatch.setenv("FOLLOWUPS_JWT_SECRET", SECRET)
    monkeypatch.setenv("ADMIN_API_KEY", ADMIN_KEY)
    forget_settings()
    failed_attempts.forget()
    yield Web()
    failed_attempts.forget()


async def test_an_agent_registers_signs_in_and_changes_itself(web, crm):
    agent = await web.register("Alice@Example.com", time_zone="Europe/Amsterdam")
    assert (agent["email"], agent["time_zone"], agent["send_mode"]) == (
        "alice@example.com",
        "Europe/Amsterdam",
        "approve",
    )
    [stored] = await crm.fetch("select password_hash from followups.agents")
    assert "password" not in stored["password_hash"]
    login = {"email": " ALICE@example.com", "password": "a long password"}
    web.token = (await web("POST", "/api/agents/login", login))["access_token"]
    changed = await web("PATCH", "/api/agents/me", {"send_mode": "automatic", "phone": "1"})
    assert (changed["send_mode"], changed["phone"], changed["name"]) == ("automatic", "1", "Alice Agent")
    assert (await web("GET", "/api/agents/me")) == changed
    assert (await web("POST", "/api/agents/me/pause"))["paused_at"]
    assert (await web("POST", "/api/agents/me/resume"))["paused_at"] is None


async def test_registration_needs_the_operator_unless_it_is_open(web, monkeypatch):
    given = {"email": "a@example.com", "password": "a long password", "name": "A"}
    await web("POST", "/api/agents/register", given, status=401)
    monkeypatch.setenv("FOLLOWUPS_OPEN_REGISTRATION", "true")
    forget_settings()
    await web("POST", "/api/agents/register", given, status=201)
    await web("POST", "/api/agents/register", given, status=409)
    await web("POST", "/api/agents/register", {**given, "email": "b@example.com", "password": "short"}, status=400)


async def test_wrong_passwords_unknown_agents_and_inactive_ones_look_alike_and_are_slowed_down(web, crm, monkeypatch):
    await web.register()
    wrong = {"email": "alice@example.com", "password": "wrong"}
    first = await web("POST", "/api/agents/login", wrong, status=401)
    second = await web("POST", "/api/agents/login", {**wrong, "email": "nobody@example.com"}, status=401)
    await crm.execute("update followups.agents set is_active = false")
    third = await web("POST", "/api/agents/login", {**wrong, "password": "a long password"}, status=401)
    assert {one["detail"] for one in (first, second, third)} == {first["detail"]}
    await web("GET", "/api/agents/me", status=403)
    monkeypatch.setattr(failed_attempts, "_clock", lambda: 0.0)
    failed_attempts.forget()
    for _ in range(20):
        await web("POST", "/api/agents/login", wrong, status=401)
    await web("POST", "/api/agents/login", wrong, status=429)


def forged(**changed):
    now = datetime.now(UTC)
    claims = {"sub": "1", "exp": now + timedelta(hours=1), "iss": tokens.ISSUER, "aud": tokens.AUDIENCE, **changed}
    return {name: value for name, value in claims.items() if value is not None}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        jwt.encode(forged(), "x" * 32, "HS256"),
        jwt.encode(forged(), "", "none"),
        jwt.encode(forged(exp=datetime(2020, 1, 1, tzinfo=UTC)), SECRET, "HS256"),
        jwt.encode(forged(exp=None), SECRET, "HS256"),
        jwt.encode(forged(aud="another"), SECRET, "HS256"),
        jwt.encode(forged(iss="another"), SECRET, "HS256"),
        jwt.encode(forged(sub="999"), SECRET, "HS256"),
        jwt.encode(forged(sub="x"), SECRET, "HS256"),
    ],
)
async def test_a_token_that_is_not_ours_or_not_good_any_more_is_refused(web, token):
    await web.register()
    web.token = token
    await web("GET", "/api/clients", status=401)


async def test_without_a_key_for_tokens_nobody_signs_in(web, monkeypatch):
    await web.register()
    monkeypatch.setenv("FOLLOWUPS_JWT_SECRET", "unset")
    forget_settings()
    await web("GET", "/api/agents/me", status=403)


async def test_a_password_is_matched_by_its_own_hash_alone():
    stored = await passwords.hashed("one password")
    assert stored != await passwords.hashed("one password")
    assert await passwords.matches("one password", stored)
    assert not await passwords.matches("another password", stored)
    assert not await passwords.matches("one password", None)


async def test_a_client_is_entered_changed_paused_listed_and_deleted(web):
    await web.register()
    client = await web.client()
    path = f"/api/clients/{client['id']}"
    assert (await web("PATCH", path, {"stage": "negotiating"}))["stage"] == "negotiating"
    assert (await web("GET", path))["email"] == "ann@example.com"
    assert (await web("POST", f"{path}/pause"))["paused_at"]
    assert (await web("POST", f"{path}/resume"))["paused_at"] is None
    planned = await web("GET", f"{path}/tasks?limit=2")
    rest = await web("GET", f"{path}/tasks?cursor={planned['pagination']['next']}")
    assert [one["followup_type"] for one in planned["data"] + rest["data"]] == [
        "Day 1", "Day 3", "Week 1", "Week 2", "Month 1"
    ]  # fmt: skip
    assert rest["pagination"]["next"] is None
    other = await web.client("bob@example.com", name="Bob")
    assert (await web("POST", f"{path}/merge", {"other_id": other["id"]}))["id"] == client["id"]
    await web("DELETE", path, status=204)
    await web("DELETE", path, status=404)
    third = await web.client("c@example.com")
    gone = await web("POST", "/api/clients/bulk-delete", {"client_ids": [third["id"], client["id"]]})
    assert gone == {"deleted": [third["id"]]}
    assert (await web("GET", "/api/clients"))["data"] == []
    await web("GET", "/api/clients?limit=101", status=400)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Ann\r\nBcc: x@y"),
        ("email", "no address"),
        ("time_zone", "Mars/Base"),
        ("country", "XX"),
        ("stage", "x"),
    ],
)
async def test_what_is_wrong_in_a_client_is_named(web, field, value):
    await web.register()
    refused = await web("POST", "/api/clients", {"email": "ann@example.com", field: value}, status=400)
    assert field in json.dumps(refused["errors"])


async def test_another_agent_finds_nothing_of_the_first(web, crm):
    await web.register(send_mode="approve")
    client = await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    [mail] = (await web("GET", "/api/emails"))["data"]
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
        assert (await web("GET", path))["data"] == []


async def test_a_mail_is_read_edited_tested_approved_and_sent(web, crm, mails):
    await web.register()
    client = await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    [mail] = (await web("GET", "/api/emails?state=held"))["data"]
    assert (mail["status"], mail["hold_reason"], mail["to"]) == ("queued", "approval", "ann@example.com")
    preview = await web("POST", "/api/emails/preview", {"task_id": mail["task_id"]})
    assert (preview["body"], preview["problems"]) == (mail["body"], [])
    path = f"/api/emails/{mail['id']}"
    words = {"subject": "My own words for you today", "body": "Dear [Name],\n\nFrom 9,999 on."}
    edited = await web("PATCH", path, words)
    assert edited["email"]["subject"] == words["subject"]
    assert len(edited["problems"]) == 3
    assert (await web("POST", f"{path}/test"))["kind"] == "accepted"
    assert (await web("POST", f"{path}/approve"))["state"] == "claimed"
    await web("POST", f"{path}/approve", status=409)
    assert (await crm.sweep()).sent == 1
    test, sent = mails.mails(9)
    assert (test.recipients, sent.recipients) == (["alice@example.com"], ["ann@example.com"])
    assert test.headers["Message-ID"] != sent.headers["Message-ID"]
    assert (test.subject.strip(), sent.subject.strip()) == (f"[Test] {words['subject']}", words["subject"])
    assert (await web("GET", path))["status"] == "sent"
    await web("PATCH", path, words, status=409)
    await web("DELETE", path, status=409)
    assert (await web("GET", f"/api/clients/{client['id']}"))["last_contacted"]


async def test_a_held_mail_can_be_thrown_away(web, crm, mails):
    await web.register()
    await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    [mail] = (await web("GET", "/api/emails"))["data"]
    await web("DELETE", f"/api/emails/{mail['id']}", status=204)
    assert (await web("GET", f"/api/emails/{mail['id']}"))["state"] == "cancelled"
    why = await web("GET", f"/api/tasks/{mail['task_id']}/why")
    assert (why["sent"], why["reason"]) == (False, "mail-deleted")


async def test_an_agents_own_words_go_out_with_the_next_sweep(web, crm, mails):
    await web.register()
    client = await web.client(create_tasks=False)
    words = {"client_id": client["id"], "subject": "Hello", "body": "Short.\n.\nEnd."}
    sent = await web("POST", "/api/emails/send", words, status=201)
    assert sent["state"] == "claimed"
    assert (await crm.sweep()).sent == 1
    [mail] = mails.mails(9)
    assert "Short.\r\n.\r\nEnd." in mail.text.replace("\r\n", "\n").replace("\n", "\r\n")


async def test_why_a_task_was_not_sent_is_told_for_each_reason(web, crm, mails):
    await web.register(send_mode="automatic", daily_cap=1)
    client = await web.client(create_tasks=False)
    at = datetime.now(UTC) + timedelta(days=2)
    task = await web("POST", "/api/tasks", {"client_id": client["id"], "scheduled_for": at.isoformat()}, status=201)

    async def why():
        return (await web("GET", f"/api/tasks/{task['id']}/why"))["reason"]

    assert await why() == "not-yet"
    await crm.execute("update followups.tasks set scheduled_for = now()")
    assert await why() == "due-now"
    [due] = (await web("GET", "/api/tasks/diagnostics/due-tasks"))["data"]
    assert (due["task_id"], due["reason"]) == (task["id"], "due-now")
    await web("POST", f"/api/clients/{client['id']}/pause")
    assert await why() == "client-paused"
    await web("POST", f"/api/clients/{client['id']}/resume")
    await web("POST", "/api/followups/stop", {"reason": "test"}, status=204, admin=True)
    assert await why() == "all-stopped"
    await web("POST", "/api/followups/resume", status=204, admin=True)
    await web("PATCH", f"/api/clients/{client['id']}", {"stage": "lost"})
    assert await why() == "stage"
    await web("PATCH", f"/api/clients/{client['id']}", {"stage": "lead"})
    await crm.sweep()
    explained = await web("GET", f"/api/tasks/{task['id']}/why")
    assert (explained["sent"], explained["reason"]) == (True, None)
    await web("PATCH", f"/api/tasks/{task['id']}", {"priority": "low"}, status=409)


async def test_a_mail_that_nobody_knows_about_is_settled_by_the_operator_once(web, crm):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    words = {"client_id": client["id"], "subject": "Hello", "body": "Short."}
    mail = await web("POST", "/api/emails/send", words, status=201)
    path = f"/api/emails/{mail['id']}/resolve"
    await web("POST", path, {"handed_over": True}, status=409, admin=True)
    await crm.execute("update followups.emails set state = 'unknown', sending_at = now()")
    await web("POST", path, {"handed_over": True}, status=401)
    await web("POST", path, {"handed_over": False}, admin=True)
    await web("POST", path, {"handed_over": True}, status=409, admin=True)
    assert (await web("GET", f"/api/emails/{mail['id']}"))["state"] == "failed"


CSV = """E-Mail,Full name,stage,Colour\r
ann@example.com,"Ann, of Elm",lead,red\r
ANN@example.com,Ann again,lead,\r
known@example.com,Known,lead,\r
\r
no address,Bob,lead,\r
cy@example.com,Cy,somewhere,\r
dee@example.com,,negotiating,\r
"""


async def test_a_csv_file_is_entered_with_a_report_of_duplicates_and_bad_rows(web):
    await web.register()
    known = await web.client("known@example.com")
    given = {"csv": CSV, "mapping": {"E-Mail": "email", "Full name": "name"}}
    planned = await web("POST", "/api/clients/import", {**given, "dry_run": True})
    assert len((await web("GET", "/api/clients"))["data"]) == 1
    report = await web("POST", "/api/clients/import", given)
    assert planned == report
    assert report["created"] == 2
    assert report["ignored_columns"] == ["Colour"]
    assert [(one["line"], one["client_id"]) for one in report["duplicates"]] == [(3, None), (4, known["id"])]
    assert [one["line"] for one in report["failed"]] == [6, 7]
    names = [one["name"] for one in (await web("GET", "/api/clients"))["data"]]
    assert names == ["Ann Client", "Ann, of Elm", None]
    again = await web("POST", "/api/clients/import", given)
    assert (again["created"], len(again["duplicates"])) == (0, 4)


@pytest.mark.parametrize(
    "given",
    [
        {"csv": "name\nAnn"},
        {"csv": "email\na@example.com", "mapping": {"email": "id"}},
        {"csv": 'email\n"a@example.com'},
        {"csv": "email\n" + "a@example.com\n" * 1001},
    ],
)
async def test_a_file_that_cannot_be_read_is_refused(web, given):
    await web.register()
    await web("POST", "/api/clients/import", given, status=400)


async def test_the_dashboard_counts_rows(web, crm, mails):
    await web.register(send_mode="automatic")
    await web.client()
    await web.client("bob@example.com", stage="closed", create_tasks=False)
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    await crm.execute("update followups.emails set machine_opens = 1")
    stats = await web("GET", "/api/dashboard/stats")
    assert stats == {
        "total_clients": 2, "active_clients": 1, "pending_tasks": 4, "completed_tasks": 1, "emails_sent_today": 1,
        "emails_sent_this_week": 1, "emails_held": 0, "emails_unknown": 0, "emails_failed": 0,
        "emails_bounced": 0, "open_rate": 0.0,
        "open_rate_at_most": 100.0, "click_rate": 0.0, "click_rate_at_most": 0.0, "conversion_rate": 50.0,
    }  # fmt: skip
    events = (await web("GET", "/api/dashboard/recent-activity"))["data"]
    assert [event["kind"] for event in events] == ["email-sent", "client-created", "client-created"]


@pytest.mark.parametrize(
    ("axes", "status"),
    [
        (("none", "none"), "sent"),
        (("delivered", "none"), "delivered"),
        (("delivered", "opened"), "opened"),
        (("none", "clicked"), "clicked"),
        (("bounced", "opened"), "bounced"),
        (("complained", "clicked"), "bounced"),
    ],
)
async def test_the_status_of_a_sent_mail_is_one_word_for_both_axes(web, crm, mails, axes, status):
    await web.register(send_mode="automatic")
    client = await web.client(create_tasks=False)
    await web("POST", "/api/emails/send", {"client_id": client["id"], "subject": "Hello", "body": "Hi."}, status=201)
    await crm.sweep()
    await crm.execute("update followups.emails set delivery = %s, engagement = %s", *axes)
    [mail] = (await web("GET", "/api/emails"))["data"]
    assert mail["status"] == status


async def test_every_route_but_the_public_ones_refuses_who_has_not_signed_in(web):
    public = {"followups_login", "followups_health", "followups_ask_unsubscribe", "followups_unsubscribe"}
    public |= {"followups_ses_events"}
    for operation in OPERATIONS:
        if operation.name not in public:
            request = func.HttpRequest(method=operation.method, url="https://app/", headers={}, body=b"")
            assert (await operation.answer(request)).status_code in (401, 403), operation.name


async def test_what_goes_out_today_and_tomorrow_by_the_agents_own_days(web, crm):
    await web.register(time_zone="Pacific/Auckland")
    ann, bob = await web.client(), await web.client("bob@example.com", name="")
    await crm.execute("update followups.tasks set scheduled_for = now() + interval '9 days'")
    midnight = "(((now() at time zone 'Pacific/Auckland')::date + 1)::timestamp at time zone 'Pacific/Auckland')"
    for to, step, at in (
        (ann, "Day 1", "now() - interval '2 days'"),
        (bob, "Day 1", f"{midnight} - interval '1 second'"),
        (ann, "Day 3", midnight),
        (bob, "Day 3", f"{midnight} + interval '1 day 2 hours'"),
    ):
        await crm.execute(
            f"update followups.tasks set scheduled_for = {at} where client_id = %s and followup_type = %s",
            to["id"],
            step,
        )
    found = await web("GET", "/api/tasks/agenda")
    assert (found["due_today"], found["due_tomorrow"]) == (2, 1)
    assert [(one["client"], one["followup_type"], one["day"]) for one in found["data"]] == [
        ("Ann Client", "Day 1", "today"),
        ("bob@example.com", "Day 1", "today"),
        ("Ann Client", "Day 3", "tomorrow"),
    ]
    tomorrow = await web("GET", "/api/tasks/agenda?day=tomorrow&limit=1")
    assert [one["followup_type"] for one in tomorrow["data"]] == ["Day 3"]
    await web.register("other@example.com")
    assert (await web("GET", "/api/tasks/agenda"))["data"] == []


async def test_the_operator_sees_the_unknown_mails_of_all_agents(web, crm, mails):
    await web.register(send_mode="automatic")
    await web.client()
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    await crm.execute("update followups.emails set state = 'unknown', error_code = 'answer-lost'")
    [one] = (await web("GET", "/api/followups/unknown", admin=True))["data"]
    assert (one["agent"], one["recipient"], one["error_code"]) == (
        "alice@example.com",
        "ann@example.com",
        "answer-lost",
    )
    assert one["message_id"] == mails.mails(9)[0].headers["Message-ID"].strip()
    assert (await web("GET", f"/api/emails/{one['id']}"))["message_id"] == one["message_id"]
    web.token = None
    await web("GET", "/api/followups/unknown", status=401)
