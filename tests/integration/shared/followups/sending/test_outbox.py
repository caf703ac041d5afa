"""What keeps a claimed mail back, and whom it is told to when nobody knows of one."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from activities.followups.sending import compose_followup, hand_over_followup
from shared.followups.events import inbound, inbox, replies
from shared.followups.people import clients, subscriptions, tasks
from shared.followups.people.models import TaskChange
from shared.followups.sending import claims, editing, outbox
from shared.followups.sending.compose import MOST_CLAIMS
from shared.followups.steps import Outcome
from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.events.conftest import provider_event


async def test_a_task_that_its_agent_puts_off_while_a_sweep_holds_it_is_sent_on_its_day(crm, mails):
    agent = await crm.agent()
    await crm.due(agent)
    [claim] = await claims.claim(9)
    await compose_followup(claim)
    [task] = await crm.fetch("select id from followups.tasks")
    await tasks.change(agent.id, task["id"], TaskChange(scheduled_for=datetime.now(UTC) + timedelta(days=7)))
    assert (await hand_over_followup(claim)).reason == "not-due"
    await crm.sweep()
    assert not mails.mails(9)
    await crm.pass_time(7 * 24 * 60)
    await crm.sweep()
    assert len(mails.mails(9)) == 1


async def test_a_person_is_told_once_of_a_mail_whose_answer_was_lost(crm, mails):
    await crm.due(await crm.agent())
    [claim] = await claims.claim(9)
    await compose_followup(claim)
    await outbox.begin(claim, "smtp")
    await outbox.record(claim, Outcome(kind="unknown", provider="smtp", code="answer-lost", text=""))
    await crm.sweep()
    assert not mails.mails(9)  # its provider may yet tell
    for _ in range(3):
        await crm.pass_time(outbox.LOOK_UP_MINUTES + 1)
        assert await claims.anything_due() == (not mails.mails(9))
        await crm.sweep()
    [alert] = mails.mails(9)
    assert "nobody knows" in alert.subject


async def test_a_mail_whose_text_could_not_be_written_is_tried_anew_when_its_agent_approves_it(crm, mails, monkeypatch):
    monkeypatch.setenv("FOLLOWUPS_SENDER", "")
    forget_settings()
    agent = await crm.agent()
    await crm.due(agent)
    for _ in range(MOST_CLAIMS + 2):
        await crm.sweep()
        [mail] = await crm.fetch("select id from followups.emails where state = 'held'")
        await editing.approve(agent.id, mail["id"])
    monkeypatch.setenv("FOLLOWUPS_SENDER", "followups@example.com")
    forget_settings()
    await crm.sweep()
    assert await crm.states() == {"sent": 1}
    assert len(mails.mails(9)) == 1


LATE = Outcome(kind="postponed", provider="smtp", code="too-late-to-begin", text="", any_mail=True)


async def begun(crm, **profile):
    """The claim of a mail that is being handed over."""
    await crm.due(await crm.agent(**profile))
    [claim] = await claims.claim(9)
    await compose_followup(claim)
    assert not isinstance(await outbox.begin(claim, "smtp"), str)
    return claim


@pytest.mark.parametrize("any_mail", [True, False])
async def test_what_certainly_was_not_handed_over_goes_out_later_however_late_that_is_learnt(crm, mails, any_mail):
    claim = await begun(crm)
    await crm.pass_time(6)
    assert await outbox.give_up_expired() == [claim.email_id]
    await outbox.record(claim, LATE.model_copy(update={"any_mail": any_mail}))
    assert await crm.states() == {"claimed": 1}
    await crm.pass_time(31)
    await crm.sweep()
    assert await crm.states() == {"sent": 1}


async def test_a_late_answer_to_the_first_attempt_says_nothing_of_the_one_under_way(crm):
    claim = await begun(crm)
    await crm.pass_time(6)
    await outbox.give_up_expired()
    await outbox.begin_again(claim.email_id)
    await outbox.record(claim, LATE)
    assert await crm.states() == {"sending": 1}


async def test_a_mail_whose_task_ended_while_it_was_postponed_is_cancelled(crm):
    claim = await begun(crm)
    [task] = await crm.fetch("select id, agent_id from followups.tasks")
    await tasks.delete(task["agent_id"], task["id"])
    await outbox.record(claim, LATE)
    assert await crm.states() == {"cancelled": 1}


async def test_the_providers_id_is_kept_though_its_event_came_before_its_answer(crm):
    claim = await begun(crm)
    await inbox.record_event(provider_event("sent", claim.email_id, provider_id="ses-1"))
    await outbox.record(claim, Outcome(kind="accepted", provider="smtp", provider_id="ses-2"))
    [mail] = await crm.fetch("select provider_id from followups.emails")
    assert mail["provider_id"] == "ses-1"
    raw = b"From: x@example.com\r\nMessage-ID: <r@x>\r\nIn-Reply-To: <ses-1@amazonses.com>\r\nSubject: Re\r\n\r\nYes."
    assert await replies.record_reply(inbound.read(raw, "x@example.com")) == "taken"


async def test_a_mail_that_waited_for_its_agent_is_of_the_day_and_from_the_address_of_its_first_attempt(
    crm, mails, monkeypatch
):
    agent = await crm.agent(send_mode="approve")
    await crm.due(agent)
    await crm.sweep()
    await crm.execute("update followups.emails set composed_at = composed_at - interval '5 days'")
    monkeypatch.setenv("FOLLOWUPS_SENDER", "new@example.org")
    forget_settings()
    [mail] = await crm.fetch("select id from followups.emails")
    await editing.approve(agent.id, mail["id"])
    await crm.sweep()
    [sent] = mails.mails(9)
    assert "new@example.org" in sent.headers["From"]
    assert datetime.now(UTC) - parsedate_to_datetime(sent.headers["Date"]) < timedelta(hours=1)


@pytest.mark.parametrize("what", ["unsubscribe", "delete"])
async def test_a_person_who_says_no_while_a_mail_is_recorded_is_heard(crm, what):
    """Both lock the client before its tasks; who did so the other way round stood in each other's way."""
    claim = await begun(crm)
    [mail] = await crm.fetch("select unsubscribe_key, client_id, agent_id from followups.emails")
    async with database() as connection:
        await connection.execute("select from followups.emails for update")
        recording = asyncio.create_task(outbox.record(claim, Outcome(kind="accepted", provider="smtp")))
        await asyncio.sleep(0.3)
        says_no = asyncio.create_task(
            subscriptions.unsubscribe(mail["unsubscribe_key"])
            if what == "unsubscribe"
            else clients.delete(mail["agent_id"], [mail["client_id"]])
        )
        await asyncio.sleep(0.3)
    await asyncio.gather(recording, says_no)
    assert await crm.states() == {"sent": 1}
