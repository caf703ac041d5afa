"""Opening a link changes nothing; a POST unsubscribes, twice if it must, and after the client was deleted."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import azure.functions as func
import pytest

from shared.followups.events import arrivals, inbound, inbox
from shared.followups.events.models import ProviderEvent
from shared.followups.keyset import Part
from shared.followups.people import clients, subscriptions, tasks
from shared.platform.errors import Conflict, NotFound
from triggers.followups import unsubscribe

FORM = "application/x-www-form-urlencoded"


async def ask(method, key, body=b"", content_type=FORM):
    [operation] = [one for one in unsubscribe.routes.operations if one.method == method]
    return await operation.answer(
        func.HttpRequest(
            method=method,
            url=f"https://app.example.com/unsubscribe/{key}",
            headers={"Content-Type": content_type},
            route_params={"key": key},
            body=body,
        )
    )


@pytest.fixture
async def sent(crm, mails):
    """The agent, the client and the key of a mail that was sent."""
    agent = await crm.agent()
    [client] = await crm.due(agent)
    await crm.sweep()
    [mail] = mails.mails(9)
    header = mail.headers["List-Unsubscribe"].replace("\r\n", "").replace(" ", "")
    assert mail.headers["List-Unsubscribe-Post"].strip() == "List-Unsubscribe=One-Click"
    assert f"Unsubscribe: {header.strip('<>')}" in mail.text
    return agent, client, urlsplit(header.strip("<>")).path.rpartition("/")[2]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_scanners_that_open_the_link_unsubscribe_nobody(crm, sent, method):
    agent, client, key = sent
    answer = await ask(method, key)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    assert not (await clients.read(agent.id, client.id)).email_unsubscribed
    assert await crm.fetch("select * from followups.suppressions") == []
    assert {one.method for one in unsubscribe.routes.operations} == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"List-Unsubscribe=One-Click", FORM),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--", "multipart/form-data; boundary=x"),
        (b"", ""),
    ],
)
async def test_one_click_unsubscribes_and_twice_is_the_same(crm, mails, sent, body, content_type):
    agent, client, key = sent
    planned = await crm.task(client, hours_ago=-5)
    for _ in range(2):
        answer = await ask("POST", key, body, content_type)
        assert (answer.status_code, "Location" in answer.headers, "Set-Cookie" in answer.headers) == (200, False, False)
    assert (await clients.read(agent.id, client.id)).email_unsubscribed
    assert (await tasks.read(agent.id, planned)).reason == "unsubscribed"
    await crm.task(client)
    await crm.sweep()
    assert len(mails.mails(9)) == 1


async def test_an_unsubscription_leaves_the_task_to_answer_the_client(crm, sent):
    agent, client, key = sent
    raw = f"From: {client.email}\r\nSubject: Re: plans\r\nMessage-ID: <r@x>\r\n\r\nStop, but call me.\r\n".encode()
    assert await arrivals.receive(inbound.read(raw, client.email)) == "taken"
    planned = await crm.task(client, hours_ago=-5)
    assert (await ask("POST", key)).status_code == 200
    found = await tasks.listed(agent.id, Part(limit=9), client_id=client.id)
    assert [(task.channel, task.status) for task in found] == [
        ("email", "completed"), ("agent", "pending"), ("email", "cancelled")
    ]  # fmt: skip
    assert (await tasks.read(agent.id, planned)).reason == "unsubscribed"


async def test_it_works_after_the_client_was_deleted_and_holds_for_a_new_one(crm, mails, sent):
    agent, client, key = sent
    await clients.delete(agent.id, [client.id])
    assert (await ask("POST", key)).status_code == 200
    again = await crm.client(agent, client.email)
    await crm.task(again)
    await crm.sweep()
    assert len(mails.mails(9)) == 1


@pytest.mark.parametrize(("key", "status"), [("00000000-0000-0000-0000-000000000000", 404), ("nonsense", 400)])
async def test_a_link_that_nobody_was_sent_is_refused(crm, key, status):
    assert (await ask("GET", key)).status_code == status
    assert (await ask("POST", key)).status_code == status


async def test_an_agent_writes_again_to_whom_agreed_and_others_do_not(crm, mails, sent):
    agent, client, key = sent
    await subscriptions.unsubscribe(key)
    other = await crm.agent("other@example.com")
    theirs = await crm.client(other, client.email)
    await subscriptions.allow_again(agent.id, client.id, "She called and asked for it.")
    assert not (await clients.read(agent.id, client.id)).email_unsubscribed
    await crm.pass_time(25 * 60)
    for one in (client, theirs):
        await crm.task(one)
    assert (await crm.sweep()).sent == 1
    assert [
        row["reason"] for row in await crm.fetch("select reason from followups.tasks where agent_id = %s", other.id)
    ] == ["suppressed"]
    with pytest.raises(NotFound):
        await subscriptions.allow_again(other.id, client.id, "It is mine.")
    await subscriptions.unsubscribe(key)
    await crm.pass_time(25 * 60)
    await crm.task(client)
    assert (await crm.sweep()).sent == 0
    assert len(mails.mails(9)) == 2


@pytest.mark.parametrize(("kind", "first"), [("complained", False), ("complained", True), ("bounced", True)])
async def test_no_agent_takes_back_a_complaint_or_a_bounce(crm, sent, kind, first):
    agent, client, key = sent
    if first:
        await subscriptions.unsubscribe(key)
        await subscriptions.allow_again(agent.id, client.id, "She called.")
    [mail] = await crm.fetch("select id from followups.emails")
    await inbox.record_event(
        ProviderEvent(
            provider="x", event_id="1", email_id=mail["id"], kind=kind, happened_at=datetime.now(UTC), permanent=True
        )
    )
    await subscriptions.unsubscribe(key)
    with pytest.raises(Conflict):
        await subscriptions.allow_again(agent.id, client.id, "She called.")
    await crm.pass_time(25 * 60)
    await crm.execute("update followups.clients set email_unsubscribed = false")
    await crm.task(client)
    assert (await crm.sweep()).sent == 0
