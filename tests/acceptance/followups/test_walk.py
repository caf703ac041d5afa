"""What an agent and an operator do, one thing after another on the real host, down to the mails in the sink."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from local.arm.servers import listening
from local.providers.identity import Identity
from tests.acceptance.followups.conftest import Followups
from tests.integration.shared.followups.conftest import GOOGLE_CLIENT, credential
from tests.integration.shared.followups.events.conftest import SECRET, signed

CSV = """Mail,Who,stage
ann@example.com,Ann Ash,lead
ANN@example.com,Ann again,lead
bob@example.com,Bob Birch,lead
cy@example.com,Cy Cedar,lead
dee@example.com,Dee Doe,lead
no address,Ed,lead
"""
ALWAYS = {"working_days": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "23:59:59.999999"}
DUE = "update followups.tasks set scheduled_for = now() where followup_type = 'Day 1' and status = 'pending'"


@pytest.fixture
async def walking(running: Callable[..., Any]) -> Any:
    """The app with Google's keys from a stand-in, and an agent who came by Google."""
    identity = Identity()
    async with listening(identity.app()) as port:
        settings = {
            "GOOGLE_KEYS_URL": f"http://127.0.0.1:{port}/certs", "GOOGLE_CLIENT_ID": GOOGLE_CLIENT,
            "FOLLOWUPS_OPEN_REGISTRATION": "true", "RESEND_WEBHOOK_SECRET": SECRET, "FOLLOWUPS_WARM_UP": "4",
            "FOLLOWUPS_REPLY_TO": "replies@example.com",
        }  # fmt: skip
        async with running(**settings) as app:
            session = await asyncio.to_thread(app.ask, "POST", "/api/agents/google", credential(identity))
            app.token = session["access_token"]
            yield app


def told(app: Followups, email: int, kind: str, **more: Any) -> None:
    """The provider tells something of the mail, signed."""
    now = datetime.now(UTC).isoformat()
    data = {"email_id": "x", "created_at": now, "from": "a@b", "to": ["c@d"], "tags": {"followup": str(email)}, **more}
    body = json.dumps({"type": f"email.{kind}", "created_at": now, "data": data}).encode()
    headers = signed(body) | {"Content-Type": "application/json"}
    answer = app.host.request("POST", "/webhooks/resend", body, headers=headers)
    assert (answer.status, answer.json()) == (200, {"result": "taken"})


def arrives(app: Followups, text: str) -> str:
    """A mail that a relay hands over."""
    headers = {"X-Admin-Key": "acceptance", "Content-Type": "message/rfc822"}
    answer = app.host.request("POST", "/webhooks/mail", text.replace("\n", "\r\n").encode(), headers=headers)
    return answer.json()["result"]


def why(app: Followups, client: int) -> str | None:
    [task] = [one for one in app.ask("GET", f"/api/clients/{client}/tasks") if one["followup_type"] == "Day 1"]
    return app.ask("GET", f"/api/tasks/{task['id']}/why")["reason"]


def entered(app: Followups) -> dict[str, int]:
    """Clients from a file, one of whom is there twice; their numbers by address."""
    app.ask("PATCH", "/api/agents/me", ALWAYS | {"postal_address": "1 Main Street"})
    given = {"csv": CSV, "mapping": {"Mail": "email", "Who": "name"}}
    report = app.ask("POST", "/api/clients/import", given)
    assert (report["created"], [one["line"] for one in report["duplicates"]]) == (4, [3])
    assert [one["line"] for one in report["failed"]] == [7]
    other = app.ask("POST", "/api/clients", {"email": "ann@work.example", "phone": "1"})
    clients = {one["email"]: one["id"] for one in app.ask("GET", "/api/clients")}
    merged = app.ask("POST", f"/api/clients/{clients['ann@example.com']}/merge", {"other_id": other["id"]})
    assert (merged["phone"], merged["name"]) == ("1", "Ann Ash")
    assert app.ask("POST", "/api/clients/bulk-delete", {"client_ids": [clients["dee@example.com"]]}) == {
        "deleted": [clients["dee@example.com"]]
    }
    return clients


async def test_an_agents_day_from_a_file_of_clients_to_replies_and_complaints(walking: Followups) -> None:
    app = walking
    clients = entered(app)
    ann, bob, cy = (clients[f"{name}@example.com"] for name in ("ann", "bob", "cy"))
    app.ask("POST", f"/api/clients/{cy}/pause")
    app.execute(DUE)
    assert why(app, cy) == "client-paused"
    app.minute()
    app.until(lambda: len(app.ask("GET", "/api/emails?state=held")) == 2)
    held = {one["client_id"]: one for one in app.ask("GET", "/api/emails?state=held")}
    assert why(app, ann) == "approval"
    mine = f"/api/emails/{held[ann]['id']}"
    app.ask("PATCH", mine, {"subject": "A word", "body": "Dear Ann,\n\nShall we talk?"})
    assert app.ask("POST", f"{mine}/test")["kind"] == "accepted"
    assert [(one["recipients"], one["subject"].strip()) for one in app.mails()] == [
        (["alice@example.com"], "[Test] A word")
    ]
    for one in held.values():
        app.ask("POST", f"/api/emails/{one['id']}/approve")
    app.ask("POST", "/api/followups/stop", {"reason": "try"}, status=204, admin=True)
    assert why(app, ann) == "all-stopped"
    app.minute()
    app.ask("POST", "/api/followups/resume", status=204, admin=True)
    app.minute()
    app.until(lambda: len(app.ask("GET", "/api/emails?state=sent")) == 2)
    comes_back(app, held[ann], held[bob])
    leaves_by_one_click(app, bob)
    app.ask("POST", f"/api/clients/{cy}/resume")
    app.ask("PATCH", "/api/agents/me", {"send_mode": "automatic", "daily_cap": 2})
    app.minute()
    app.until(lambda: (why(app, cy) or "") == "daily-cap")
    assert sorted(one["recipients"][0] for one in app.mails()) == [
        "alice@example.com", "ann@example.com", "bob@example.com"
    ]  # fmt: skip
    domain = app.ask("POST", "/api/followups/sender-domain/check", admin=True)
    assert domain == {"ready": True, "problems": []}, "the relay on this machine is not checked"


def comes_back(app: Followups, to_ann: dict[str, Any], to_bob: dict[str, Any]) -> None:
    """A pixel that a proxy fetched at once, a holiday notice, and an answer."""
    told(app, to_ann["id"], "opened")
    mail = app.ask("GET", f"/api/emails/{to_ann['id']}")
    stats = app.ask("GET", "/api/dashboard/stats")
    assert (mail["engagement"], stats["open_rate"], stats["open_rate_at_most"]) == ("none", 0.0, 50.0)
    told(app, to_ann["id"], "delivered")
    told(app, to_ann["id"], "delivery_delayed")
    assert app.ask("GET", f"/api/emails/{to_ann['id']}")["delivery"] == "delivered"
    note = f"From: bob@example.com\nSubject: Automatische Antwort: A word\nIn-Reply-To: {to_bob['message_id']}\n\nAway."
    assert arrives(app, note) == "ignored"
    answer = f"From: ann@example.com\nSubject: Re: A word\nIn-Reply-To: {to_ann['message_id']}\n\nYes, please."
    assert [arrives(app, answer), arrives(app, answer)] == ["taken", "known"]
    [reply] = app.ask("GET", "/api/replies")["data"]
    assert (reply["from"], reply["body"].strip()) == ("ann@example.com", "Yes, please.")
    tasks = app.ask("GET", f"/api/clients/{to_ann['client_id']}/tasks")
    assert {one["reason"] for one in tasks if one["status"] == "skipped"} == {"replied"}
    assert [one["notes"] for one in tasks if one["channel"] == "agent"] == ["Answer: Re: A word"]


def leaves_by_one_click(app: Followups, client: int) -> None:
    """Scanners that open the link change nothing; one click does, and again, also when the client was deleted."""
    [mail] = [one for one in app.mails() if one["recipients"] == ["bob@example.com"]]
    assert mail["headers"]["List-Unsubscribe-Post"].strip() == "List-Unsubscribe=One-Click"
    link = mail["headers"]["List-Unsubscribe"].strip().strip("<>")
    path = link[link.index("/unsubscribe/") :]
    for method in ("GET", "HEAD"):
        assert app.host.request(method, path).status == 200
    assert not app.ask("GET", f"/api/clients/{client}")["email_unsubscribed"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        clicked = app.host.request("POST", path, b"List-Unsubscribe=One-Click", headers=form)
        assert (clicked.status, "set-cookie" in clicked.headers) == (200, False)
    assert app.ask("GET", f"/api/clients/{client}")["email_unsubscribed"]
    app.ask("DELETE", f"/api/clients/{client}")
    assert app.host.request("POST", path, b"", headers=form).status == 200


async def test_complaints_of_three_in_a_thousand_stop_all_mails(walking: Followups) -> None:
    app = walking
    app.ask("PATCH", "/api/agents/me", ALWAYS | {"postal_address": "1 Main Street", "send_mode": "automatic"})
    client = app.ask("POST", "/api/clients", {"email": "ann@example.com", "name": "Ann", "create_tasks": True})["id"]
    app.execute(DUE)
    app.minute()
    app.until(lambda: len(app.ask("GET", "/api/emails?state=sent")) == 1)
    app.execute(
        "insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority, status,"
        " completed_at) select agent_id, id, 'Custom', now(), now(), 'low', 'completed', now()"
        " from followups.clients, generate_series(1, 1000) where id = %s",
        client,
    )
    app.execute(
        "insert into followups.emails (task_id, agent_id, client_id, state, leased_until, writer, sender, recipient,"
        " reply_to, subject, body, footer, composed_at, sending_at, sent_at) select t.id, t.agent_id, t.client_id,"
        " 'sent', now(), 'x', 'a@b.c', 'x' || t.id || '@example.com', 'a@b.c', 's', 'b', 'f', now(), now(), now()"
        " from followups.tasks t where t.followup_type = 'Custom'"
    )
    mails = [row[0] for row in app.execute("select id from followups.emails order by id limit 4")]
    for one in mails[:3]:
        told(app, one, "complained")
    assert app.ask("GET", "/health/scheduler")["stopped_at"] is None
    told(app, mails[3], "complained")
    app.until(lambda: app.ask("GET", "/health/scheduler")["stopped_at"] is not None, 90)
