"""What keeps a claimed mail back, and whom it is told to when nobody knows of one."""

from datetime import UTC, datetime, timedelta

from activities.followups.sending import compose_followup, hand_over_followup
from shared.followups.people import tasks
from shared.followups.people.models import TaskChange
from shared.followups.sending import claims, editing, outbox
from shared.followups.sending.compose import MOST_CLAIMS
from shared.followups.steps import Outcome
from shared.platform.settings import forget_settings


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
        await crm.pass_time(outbox.ASKED_AGAIN_MINUTES + 1)
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
