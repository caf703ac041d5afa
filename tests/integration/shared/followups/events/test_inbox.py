"""What an event proves, whoever said what before, and what several of one mail do not."""

import pytest

from activities.followups.sending import compose_followup
from shared.followups.events import inbox
from shared.followups.sending import claims, editing, outbox, unknown
from shared.followups.steps import Outcome
from tests.integration.shared.followups.events.conftest import provider_event


async def lost(crm, **profile):
    """The claim of a mail whose hand-over the provider has not answered."""
    await crm.due(await crm.agent(**profile))
    [claim] = await claims.claim(9)
    await compose_followup(claim)
    await outbox.begin(claim, "ses")
    await outbox.record(claim, Outcome(kind="unknown", provider="ses", code="answer-lost", text=""))
    return claim


@pytest.mark.parametrize("kind", ["sent", "delivered", "bounced", "deferred", "opened"])
async def test_the_provider_had_what_it_tells_of_though_a_person_said_no(crm, mails, kind):
    claim = await lost(crm)
    await unknown.resolve(claim.email_id, handed_over=False)
    assert await inbox.record_event(provider_event(kind, claim.email_id))
    await crm.sweep()
    assert not mails.mails(9)
    assert await crm.states() == {"sent": 1}
    [task] = await crm.fetch("select status from followups.tasks")
    assert task["status"] == "completed"


async def test_a_mail_that_was_held_after_a_person_said_no_is_not_approved_any_more(crm, mails):
    claim = await lost(crm)
    await unknown.resolve(claim.email_id, handed_over=False)
    await crm.execute("update followups.agents set postal_address = null")
    await crm.sweep()
    assert await crm.states() == {"held": 1}
    await inbox.record_event(provider_event("delivered", claim.email_id))
    [mail] = await crm.fetch("select agent_id, hold_reason, sending_at from followups.emails")
    assert mail["hold_reason"] is None
    assert mail["sending_at"] is not None
    with pytest.raises(editing.Conflict, match="sent"):
        await editing.approve(mail["agent_id"], claim.email_id)
    assert not mails.mails(9)


async def test_a_mail_that_the_provider_refused_and_then_delivered_was_sent(crm):
    claim = await lost(crm)
    await outbox.record(claim, Outcome(kind="refused", provider="ses", code="busy", text="no"))
    await inbox.record_event(provider_event("delivered", claim.email_id))
    assert await crm.states() == {"sent": 1}


async def test_an_event_of_a_mail_that_nobody_ever_handed_over_changes_nothing(crm):
    await crm.due(await crm.agent(send_mode="approve"))
    await crm.sweep()
    [mail] = await crm.fetch("select id from followups.emails")
    assert await inbox.record_event(provider_event("delivered", mail["id"]))
    assert await crm.states() == {"held": 1}


async def test_a_mail_that_was_put_off_often_and_arrived_counts_against_nobody(crm, mails):
    assert mails
    await crm.due(await crm.agent())
    await crm.sweep()
    [mail] = await crm.fetch("select id from followups.emails")
    for _ in range(inbox.MOST_DEFERRALS):
        await inbox.record_event(provider_event("deferred", mail["id"]))
    assert not await crm.fetch("select from followups.suppressions")


async def test_mails_that_were_put_off_count_until_one_of_them_arrives(crm, mails):
    assert mails
    agent = await crm.agent()
    client = await crm.client(agent)
    ids = []
    for _ in range(inbox.MOST_DEFERRALS):
        await crm.task(client)
        await crm.sweep()
        await crm.pass_time(25 * 60)
        [newest] = await crm.fetch("select id from followups.emails order by id desc limit 1")
        ids.append(newest["id"])
    for email_id in ids:
        assert not await crm.fetch("select from followups.suppressions")
        await inbox.record_event(provider_event("deferred", email_id))
    [found] = await crm.fetch("select scope, reason from followups.suppressions")
    assert found == {"scope": "cadence", "reason": "deferred-too-often"}
    await inbox.record_event(provider_event("delivered", ids[-1]))
    assert not await crm.fetch("select from followups.suppressions")


async def test_an_event_with_signs_that_no_store_holds_is_taken_for_what_it_says(crm):
    claim = await lost(crm)
    assert await inbox.record_event(
        provider_event("clicked", claim.email_id, user_agent="a\0b", ip="\ud800", detail="x" * 900)
    )
    [kept] = await crm.fetch("select user_agent, ip, length(detail) as long from followups.provider_events")
    assert kept == {"user_agent": "ab", "ip": "?", "long": 500}
    with pytest.raises(ValueError, match="happened_at"):
        provider_event("clicked", claim.email_id, happened_at="9999-12-31T23:59:59-12:00")
