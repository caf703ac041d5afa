"""Two entries of one person: whatever came, or comes back, to either of them counts for the one that is kept."""

import pytest

from shared.followups.events import inbound, inbox, replies
from shared.followups.people import clients, subscriptions, tasks
from shared.followups.people.models import ClientChange
from tests.integration.shared.followups.events.conftest import provider_event


def answer(to=""):
    """A reply of the other entry, to the mail with that key."""
    refers = f"In-Reply-To: <{to}@example.com>\r\n" if to else ""
    raw = f"From: o@example.com\r\nMessage-ID: <r1@x>\r\n{refers}Subject: Re\r\n\r\nThanks."
    return inbound.read(raw.encode(), "o@example.com")


@pytest.fixture
async def two(crm, mails):
    """An agent, its client k@ with a Day 3 in two days, its client o@ who was sent Day 1, and that mail."""
    assert mails
    agent = await crm.agent()
    kept, other = await crm.client(agent, "k@example.com"), await crm.client(agent, "o@example.com")
    await crm.task(other, 1, "Day 1")
    await crm.sweep()
    [mail] = await crm.fetch("select * from followups.emails")
    later = await crm.task(kept, -48, "Day 3")
    return agent, kept, other, mail, later


@pytest.mark.parametrize("refers", [True, False])
async def test_an_answer_to_a_mail_of_the_other_entry_ends_the_cadence(two, refers):
    agent, kept, other, mail, later = two
    await clients.merge(agent.id, kept.id, other.id)
    assert await replies.record_reply(answer(mail["message_key"] if refers else "")) == "taken"
    assert (await tasks.read(agent.id, later)).status == "skipped"
    [to_do] = await replies.listed(agent.id, before=None, limit=9)
    assert to_do.client_id == kept.id


async def test_who_answered_before_the_merge_is_not_written_to_after_it(crm, two):
    agent, kept, other, _, later = two
    assert await replies.record_reply(answer()) == "taken"
    added = await crm.task(kept, -96, "Week 1")
    await clients.merge(agent.id, kept.id, other.id)
    assert (await tasks.read(agent.id, later)).reason == "replied"
    assert (await tasks.read(agent.id, added)).status == "pending"  # planned by somebody who could see the answer


async def test_the_link_of_a_mail_of_the_other_entry_unsubscribes_the_person(two):
    agent, kept, other, mail, later = two
    await clients.merge(agent.id, kept.id, other.id)
    await subscriptions.unsubscribe(mail["unsubscribe_key"])
    assert (await tasks.read(agent.id, later)).reason == "unsubscribed"
    assert (await clients.read(agent.id, kept.id)).email_unsubscribed


async def test_the_link_of_a_mail_unsubscribes_the_person_also_under_a_new_address(crm, two):
    agent, _, other, mail, _ = two
    await clients.change(agent.id, other.id, ClientChange(email="new@example.com"))
    later = await crm.task(other, -48, "Week 1")
    await subscriptions.unsubscribe(mail["unsubscribe_key"])
    assert (await tasks.read(agent.id, later)).status == "cancelled"
    assert (await clients.read(agent.id, other.id)).email_unsubscribed


@pytest.mark.parametrize("merged", [True, False])
async def test_who_complained_is_not_written_to_under_another_address(crm, mails, two, merged):
    agent, kept, other, mail, _ = two
    if merged:
        await clients.merge(agent.id, kept.id, other.id)
    else:
        await clients.change(agent.id, other.id, ClientChange(email="new@example.com"))
        await crm.task(other, -48, "Week 1")
    await inbox.record_event(provider_event("complained", mail["id"]))
    await crm.pass_time(49 * 60)
    await crm.sweep()
    to = [sent.recipients for sent in mails.mails(9)]
    assert to.count(["new@example.com"]) == 0
    assert to.count(["k@example.com"]) == (0 if merged else 1)


async def test_a_step_that_the_other_entry_was_sent_is_not_sent_again_and_the_gap_counts_its_mails(crm, mails, two):
    agent, kept, other, _, _ = two
    again, soon = await crm.task(kept, 1, "Day 1"), await crm.task(kept, 1, "Week 1")
    await clients.merge(agent.id, kept.id, other.id)
    await crm.sweep()
    assert len(mails.mails(9)) == 1
    assert (await tasks.read(agent.id, again)).reason == "client-merged"
    assert (await tasks.read(agent.id, soon)).reason == "minimum-gap"
