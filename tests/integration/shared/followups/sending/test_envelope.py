"""To whom a mail goes and what stands under it: as of its first attempt, and what is checked is what is handed over."""

from datetime import timedelta

import pytest

from activities.followups.sending import compose_followup
from shared.followups.people import agents, clients, subscriptions
from shared.followups.people.models import AgentProfile, ClientChange
from shared.followups.sending import claims, editing, outbox
from shared.followups.steps import Outcome


@pytest.fixture
async def held(crm):
    """An agent, its client old@example.com, and a mail that waits for the agent's approval."""
    agent = await crm.agent(send_mode="approve")
    client = await crm.client(agent, "old@example.com")
    await crm.task(client)
    await crm.sweep()
    [mail] = await crm.fetch("select * from followups.emails")
    return agent, client, mail


async def test_an_address_that_the_law_asks_for_and_that_was_entered_late_stands_under_the_mail(crm, mails):
    agent = await crm.agent(postal_address=None)
    await crm.due(agent)
    await crm.sweep()
    [mail] = await crm.fetch("select id, hold_reason from followups.emails")
    assert mail["hold_reason"] == "no-postal-address"
    await agents.change(agent.id, AgentProfile(postal_address="99 New Street"))
    assert "99 New Street" in ((await editing.approve(agent.id, mail["id"])).footer or "")
    await crm.sweep()
    [sent] = mails.mails(9)
    assert "99 New Street" in sent.text


async def test_a_postal_address_that_was_corrected_before_the_first_attempt_is_the_one(crm, mails):
    agent = await crm.agent()
    await crm.due(agent)
    [claim] = await claims.claim(9)
    await compose_followup(claim)
    await agents.change(agent.id, AgentProfile(postal_address="99 New Street"))
    await crm.pass_time(16)
    await crm.sweep()
    [sent] = mails.mails(9)
    assert "99 New Street" in sent.text
    assert "1 Main Street" not in sent.text


@pytest.mark.parametrize("says_no", ["unsubscribed", "bounced"])
async def test_an_address_that_the_client_has_no_more_is_never_written_to(crm, mails, held, says_no):
    agent, client, mail = held
    await clients.change(agent.id, client.id, ClientChange(email="new@example.com"))
    if says_no == "unsubscribed":
        await subscriptions.unsubscribe(mail["unsubscribe_key"])
    else:
        await crm.execute("insert into followups.suppressions values ('old@example.com', 'all', 'bounce')")
        await editing.approve(agent.id, mail["id"])
    await crm.sweep()
    to = [sent.recipients for sent in mails.mails(9)]
    assert to == ([] if says_no == "unsubscribed" else [["new@example.com"]])


async def test_a_mail_that_was_tried_waits_for_a_person_when_its_address_was_corrected(crm, mails):
    agent = await crm.agent()
    [client] = await crm.due(agent)
    [claim] = await claims.claim(9)
    await compose_followup(claim)
    await outbox.begin(claim, "smtp")
    await outbox.record(claim, Outcome(kind="postponed", provider="smtp", code="busy", text="later"))
    await clients.change(agent.id, client.id, ClientChange(email="new@example.com"))
    await crm.pass_time(timedelta(minutes=30).total_seconds() / 60)
    await crm.sweep()
    [mail] = await crm.fetch("select id, hold_reason from followups.emails")
    assert mail["hold_reason"] == "address-changed"
    await editing.approve(agent.id, mail["id"])
    await crm.sweep()
    assert [sent.recipients for sent in mails.mails(9)] == [["new@example.com"]]


async def test_a_held_mail_of_an_entry_that_was_merged_goes_to_the_address_that_is_kept(crm, mails):
    agent = await crm.agent(send_mode="approve")
    kept, other = await crm.client(agent, "k@example.com"), await crm.client(agent, "o@example.com")
    await crm.task(other, 1, "Day 3")
    await crm.sweep()
    [mail] = await crm.fetch("select * from followups.emails")
    await crm.execute("insert into followups.suppressions values ('o@example.com', 'all', 'bounce')")
    await clients.merge(agent.id, kept.id, other.id)
    await editing.approve(agent.id, mail["id"])
    await crm.sweep()
    assert [sent.recipients for sent in mails.mails(9)] == [["k@example.com"]]
