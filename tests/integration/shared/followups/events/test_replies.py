"""A reply ends the cadence and gives the agent a task; nobody else's does."""

from uuid import UUID

import pytest

from shared.followups.events import arrivals, inbound, replies
from shared.followups.events.providers import ses
from shared.followups.keyset import Part
from shared.followups.people import tasks
from tests.fresh_settings import forget_settings
from tests.present import present


def answer(sender="ann@example.com", refers_to="x@y", subject="Re: plans", message_id="<r1@example.com>", more=""):
    head = f"From: {sender}\r\nSubject: {subject}\r\nMessage-ID: {message_id}\r\nIn-Reply-To: <{refers_to}>\r\n{more}"
    return f"{head}\r\nYes, please.\r\n".encode()


@pytest.fixture
async def written_to(crm, mails):
    """An agent, its client with steps to come, and the Message-ID of the mail that was sent."""
    agent = await crm.agent()
    client = await crm.client(agent, create_tasks=True)
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    return agent, client, mails.mails(9)[0].headers["Message-ID"].strip("<> ")


async def test_a_reply_ends_the_steps_and_the_agent_gets_a_task_that_is_no_mail(crm, mails, written_to):
    agent, client, message_id = written_to
    mail = inbound.read(answer("ann@work.example", message_id), "ann@work.example")
    assert [await replies.record_reply(mail) for _ in range(2)] == ["taken", "known"]
    found = await tasks.listed(agent.id, Part(limit=99), client_id=client.id)
    assert [(task.status, task.reason) for task in found[1:5]] == [("skipped", "replied")] * 4
    assert [(task.channel, task.status, task.notes) for task in found[5:]] == [
        ("agent", "pending", "Answer: Re: plans")
    ]
    await crm.pass_time(60)
    assert (await crm.sweep()).claimed == 0
    [shown] = await replies.listed(agent.id, before=None, limit=9)
    assert (shown.body.strip(), shown.email_id is not None) == ("Yes, please.", True)


async def test_a_reply_without_a_reference_is_known_by_its_address(crm, written_to):
    agent, client, _ = written_to
    assert await replies.record_reply(inbound.read(answer(client.email), client.email)) == "taken"
    ended = await tasks.listed(agent.id, Part(limit=99), status="skipped")
    assert [task.reason for task in ended] == ["replied"] * 4
    [to_answer] = await tasks.listed(agent.id, Part(limit=99), status="pending")
    assert to_answer.channel == "agent"


@pytest.mark.parametrize(
    ("more", "subject", "source"),
    [
        ("", "Automatische Antwort: x", "ann@example.com"),
        ("Auto-Submitted: auto-replied\r\n", "Re: plans", "ann@example.com"),
        ("", "Undeliverable", ""),
    ],
)
async def test_machines_end_nothing(crm, written_to, more, subject, source):
    agent, _, message_id = written_to
    assert (
        await replies.record_reply(inbound.read(answer(refers_to=message_id, subject=subject, more=more), source))
        == "ignored"
    )
    assert len(await tasks.listed(agent.id, Part(limit=99), status="pending")) == 4


async def test_a_stranger_ends_nothing(crm, written_to):
    assert await replies.record_reply(inbound.read(answer("stranger@example.com"), "stranger@example.com")) == "ignored"


def test_a_mail_that_ses_received_is_read_in_both_encodings():
    import base64
    import json

    for encoding, content in (("UTF-8", answer().decode()), ("BASE64", base64.b64encode(answer()).decode())):
        notification = {
            "notificationType": "Received",
            "content": content,
            "mail": {"source": "ann@example.com"},
            "receipt": {"action": {"type": "SNS", "encoding": encoding}},
        }
        assert present(ses.received(json.dumps(notification))).sender == "ann@example.com"
    assert ses.received('{"eventType": "Send"}') is None


async def test_the_reply_to_is_the_address_that_the_app_reads_where_there_is_one(crm, mails, monkeypatch):
    monkeypatch.setenv("FOLLOWUPS_REPLY_TO", "replies@in.example.com")
    forget_settings()
    await crm.due(await crm.agent())
    await crm.sweep()
    assert mails.mails(9)[0].headers["Reply-To"].strip() == "replies@in.example.com"


DSN = """\
From: MAILER-DAEMON@mx.example.com
Subject: Undelivered Mail Returned to Sender
Message-ID: <n1@mx.example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; ann@example.com
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {status} said so

--b
{returned}

--b--
"""
RETURNED = (
    "Content-Type: text/rfc822-headers\n\nMessage-ID: <{id}>\nSubject: x",
    "Content-Type: message/rfc822\n\nMessage-ID: <{id}>\nSubject: x\n\nbody",
)


@pytest.mark.parametrize("returned", RETURNED)
@pytest.mark.parametrize(
    "case",
    [
        ("failed", "5.1.1", "bounced", [("ann@example.com", "all")]),
        ("failed", "5.2.2", "bounced", []),
        ("delayed", "4.4.1", "deferred", []),
    ],
)
async def test_a_notice_of_a_mail_server_feeds_the_bounces(crm, written_to, returned, case):
    action, status, delivery, suppressed = case
    agent, _, message_id = written_to
    raw = DSN.format(action=action, status=status, returned=returned.format(id=message_id)).encode()
    assert [await arrivals.receive(inbound.read(raw, "")) for _ in range(2)] == ["taken", "known"]
    [mail] = await crm.fetch("select delivery, state from followups.emails")
    assert mail == {"delivery": delivery, "state": "sent"}
    assert await crm.fetch("select address, scope from followups.suppressions") == [
        {"address": address, "scope": scope} for address, scope in suppressed
    ]
    assert await crm.fetch("select * from followups.replies") == []
    assert len(await tasks.listed(agent.id, Part(limit=99), status="pending")) == 4


async def test_a_notice_of_a_mail_that_is_not_ours_changes_nothing(written_to):
    assert written_to
    raw = DSN.format(action="failed", status="5.1.1", returned=RETURNED[0].format(id="x@y")).encode()
    assert await arrivals.receive(inbound.read(raw, "")) == "ignored"
    stranger = DSN.format(action="failed", status="5.1.1", returned=RETURNED[0].format(id=f"{UUID(int=1)}@y")).encode()
    assert await arrivals.receive(inbound.read(stranger, "")) == "ignored"
