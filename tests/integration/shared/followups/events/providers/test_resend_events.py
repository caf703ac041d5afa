"""Events and mails of Resend: the signature first, each once, and what follows from them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.followups.events.providers import bad_signatures
from shared.followups.people import clients, tasks
from shared.followups.reporting import dashboard
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import claims, outbox
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.events.conftest import SECRET, signed


def event(kind, email_id, **details):
    now = datetime.now(UTC).isoformat()
    data: dict[str, Any] = {"email_id": "56761188", "created_at": now, "from": "a@b", "to": ["c@d"]}
    data["tags"] = {"followup": str(email_id)}
    return json.dumps({"type": f"email.{kind}", "created_at": now, "data": {**data, **details}}).encode()


@pytest.fixture(autouse=True)
def _configured(crm, monkeypatch):
    monkeypatch.setenv("RESEND_WEBHOOK_SECRET", SECRET)
    forget_settings()


async def test_a_signed_event_is_taken_once_by_its_id(post, sent, axes):
    body = event("delivered", sent["id"])
    headers = signed(body, "msg_1")
    assert [(await post("resend", body, headers))["result"] for _ in range(2)] == ["taken", "known"]
    assert await axes(sent["id"]) == ("delivered", "none", "sent")


BOUNCES, LISTED = [("all", "bounce", True)], [("all", "provider-list", True)]


@pytest.mark.parametrize(
    "case",
    [
        ("sent", {}, ("none", "none", [])),
        ("delivery_delayed", {}, ("deferred", "none", [])),
        ("bounced", {"bounce": {"type": "Permanent", "subType": "General"}}, ("bounced", "none", BOUNCES)),
        ("bounced", {"bounce": {"type": "Transient", "subType": "MailboxFull"}}, ("deferred", "none", [])),
        ("bounced", {"bounce": {"type": "Permanent", "subType": "Suppressed"}}, ("bounced", "none", LISTED)),
        ("suppressed", {"suppressed": {"type": "OnAccountSuppressionList"}}, ("bounced", "none", LISTED)),
        ("failed", {"failed": {"reason": "quota"}}, ("bounced", "none", [])),
        ("complained", {}, ("complained", "none", [("cadence", "complaint", True)])),
        ("opened", {}, ("none", "opened", [])),
        ("clicked", {"click": {"ipAddress": "1.2.3.4", "userAgent": "Mozilla"}}, ("none", "clicked", [])),
    ],
)
async def test_each_kind_moves_its_axis_and_what_is_final_suppresses(post, sent, outcome, case):
    kind, details, came_to = case
    body = event(kind, sent["id"], **details)
    await post("resend", body, signed(body))
    assert await outcome(sent["id"]) == came_to


@pytest.mark.parametrize(
    "wrong",
    [
        lambda body: {},
        lambda body: signed(body, secret="whsec_d3Jvbmcgc2VjcmV0"),
        lambda body: signed(body + b" "),
        lambda body: signed(body, at=datetime.now(UTC).timestamp() - 600),
        lambda body: signed(body, at=datetime.now(UTC).timestamp() + 600),
        lambda body: {**signed(body), "svix-signature": "nonsense"},
        lambda body: {**signed(body), "svix-signature": "v1,***"},
        lambda body: {**signed(body), "svix-timestamp": "nan"},
        lambda body: {**signed(body), "svix-id": "another"},
        lambda body: signed(body, "m" * 201),
    ],
)
async def test_a_wrong_signature_is_refused_counted_and_changes_nothing(post, crm, sent, axes, wrong):
    body = event("complained", sent["id"])
    await post("resend", body, wrong(body), status=401)
    assert await axes(sent["id"]) == ("none", "none", "sent")
    assert (await crm.fetch("select sum(requests)::int as n from followups.bad_signatures"))[0]["n"] == 1


async def test_bytes_that_are_no_text_are_refused(post):
    await post("resend", b"\xff\xfe", signed(b"\xff\xfe"), status=401)


async def test_without_a_secret_nothing_is_taken_and_the_health_stays(post, crm, sent, monkeypatch):
    monkeypatch.setenv("RESEND_WEBHOOK_SECRET", "unset")
    forget_settings()
    body = event("complained", sent["id"])
    await claims.note_sweep()
    for _ in range(bad_signatures.MOST):
        await post("resend", body, signed(body), status=403)
    assert (await scheduler_health()).status == "green"


async def test_twenty_wrong_signatures_turn_the_health_red(post, crm):
    await claims.note_sweep()
    for _ in range(bad_signatures.MOST):
        await post("resend", b"{}", signed(b"{} "), status=401)
    assert (await scheduler_health()).status == "red"


async def test_an_event_settles_a_mail_that_nobody_knew_about(post, crm, sent, axes):
    await crm.execute("update followups.emails set state = 'unknown', sent_at = null")
    await crm.execute("update followups.tasks set status = 'pending'")
    body = event("sent", sent["id"])
    await post("resend", body, signed(body))
    assert await axes(sent["id"]) == ("none", "none", "sent")
    assert await outbox.give_up_expired() == []


async def test_proxies_and_scanners_count_as_machines_and_steer_nothing(post, crm, sent):
    """A pixel fetched one second after the hand-over, and two clicks of two systems twelve seconds apart."""
    [row] = await crm.fetch("select sending_at from followups.emails")
    planned = await crm.task(await clients.read(sent["agent_id"], sent["client_id"]), hours_ago=-48)

    async def look(kind, seconds, agent=""):
        at = (row["sending_at"] + timedelta(seconds=seconds)).isoformat()
        part = {"click" if kind == "clicked" else "open": {"userAgent": agent, "ipAddress": agent, "timestamp": at}}
        body = event(kind, sent["id"], **part)
        await post("resend", body, signed(body))

    await look("opened", 1)
    await look("clicked", 600, "a")
    await look("clicked", 612, "b")
    [mail_] = await crm.fetch("select engagement, machine_opens, machine_clicks from followups.emails")
    assert mail_ == {"engagement": "none", "machine_opens": 1, "machine_clicks": 2}
    found = await dashboard.stats(sent["agent_id"])
    assert (found.open_rate, found.open_rate_at_most) == (0.0, 100.0)
    assert (found.click_rate, found.click_rate_at_most) == (0.0, 100.0)
    await look("clicked", 3600, "c")
    found = await dashboard.stats(sent["agent_id"])
    assert (found.open_rate, found.click_rate) == (100.0, 100.0)
    assert (await tasks.read(sent["agent_id"], planned)).status == "pending"
    assert await crm.fetch("select * from followups.suppressions") == []


@pytest.mark.parametrize("stranger", ["x", "", 2**70, -1, 999_999])
async def test_events_of_other_mails_and_kinds_change_nothing(post, sent, axes, stranger):
    body = event("complained", stranger)
    assert (await post("resend", body, signed(body)))["result"] == "taken"
    other = json.dumps({"type": "contact.created", "data": {}}).encode()
    assert (await post("resend", other, signed(other)))["result"] == "ignored"
    for nonsense in (b"[]", b"{}", b'{"type": "email.opened", "data": {"tags": 3}}'):
        await post("resend", nonsense, signed(nonsense), status=400)
    assert await axes(sent["id"]) == ("none", "none", "sent")
