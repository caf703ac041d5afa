"""Who may hand a mail over: many ask at once, and one gets each."""

import asyncio

import pytest

from activities.followups.sending import compose_followup, hand_over_followup
from shared.followups.keyset import Part
from shared.followups.people import clients, tasks
from shared.followups.people.models import ClientChange
from shared.followups.sending import claims, outbox
from shared.followups.steps import Outcome, SweepSummary
from tests.integration.shared.followups.sending.conftest import received, written
from tests.present import present


async def test_twenty_due_mails_and_ten_sweeps_at_once_are_twenty_hand_overs(crm, mails):
    keep = mails.handle_DATA

    async def slowly(*given):
        await asyncio.sleep(0.3)
        return await keep(*given)

    mails.handle_DATA = slowly
    clients_ = await crm.due(await crm.agent(), 20)
    found = await asyncio.gather(*(crm.sweep() for _ in range(10)))
    assert sorted((one.claimed, one.sent) for one in found) == [(0, 0)] * 9 + [(20, 20)]
    assert received(mails) == {client.email: 1 for client in clients_}
    for key in ("task_id", "message_key"):
        assert len({row[key] for row in await crm.fetch(f"select {key} from followups.emails")}) == 20
    assert await crm.states() == {"sent": 20}
    assert {row["claim"] for row in await crm.fetch("select claim from followups.emails")} == {1}
    assert await crm.sweep() == SweepSummary()


async def test_a_late_worker_cannot_send_under_an_old_claim_number(crm, mails):
    await crm.due(await crm.agent())
    [old] = await written()
    assert await claims.claim(10) == []
    await crm.pass_time(claims.LEASE_MINUTES)
    [new] = await claims.claim(10)
    assert (new.email_id, new.number) == (old.email_id, old.number + 1)
    assert (await hand_over_followup(old)).reason == "claim-lost"
    assert not (await compose_followup(old)).ready
    assert present((await hand_over_followup(new)).outcome).kind == "accepted"
    await outbox.record(old, Outcome(kind="unknown", provider="smtp"))
    assert (await crm.states(), len(mails.mails(9))) == ({"sent": 1}, 1)


async def test_a_claim_whose_answer_was_lost_is_given_again(crm):
    await crm.due(await crm.agent(), 5)
    first = await claims.claim(3, "one batch")
    assert sorted(one.email_id for one in await claims.claim(3, "one batch")) == sorted(one.email_id for one in first)
    assert len(await claims.claim(3, "another")) == 2
    await crm.pass_time(claims.LEASE_MINUTES)
    [taken, *_] = await claims.claim(1, "a third")
    assert taken.number == 2
    assert taken.email_id not in [one.email_id for one in await claims.claim(3, "one batch")]


async def test_what_is_due_on_a_closed_day_is_moved_once_and_sent_once(crm, mails):
    agent = await crm.agent()
    [row] = await crm.fetch("select extract(isodow from now() at time zone 'UTC')::int as today")
    open_day = row["today"] % 7 + 1
    [client] = await crm.due(agent, working_days=[open_day])
    for _ in range(5):
        assert (await crm.sweep()).sent == 0
    [task] = await tasks.listed(agent.id, Part(limit=9))
    assert (task.scheduled_for.isoweekday(), task.reason) == (open_day, "no-working-day")
    await crm.pass_time(24 * 60)
    await clients.change(agent.id, client.id, ClientChange(working_days=(1, 2, 3, 4, 5, 6, 7)))
    assert [(await crm.sweep()).sent for _ in range(3)] == [1, 0, 0]


async def test_after_an_outage_one_step_is_sent_now_and_the_rest_keep_their_spacing(crm, mails):
    agent = await crm.agent()
    client = await crm.client(agent)
    first, second = await crm.task(client, 60, "Day 1"), await crm.task(client, 12, "Day 3")
    assert (await crm.sweep()).sent == 1
    sent, moved = await tasks.read(agent.id, first), await tasks.read(agent.id, second)
    assert (sent.status, moved.status, moved.reason) == ("completed", "pending", "minimum-gap")
    assert sent.completed_at
    assert (moved.scheduled_for - sent.completed_at).total_seconds() == pytest.approx(48 * 3600, abs=60)


async def test_after_four_days_what_is_too_late_is_skipped_and_shown(crm, mails):
    agent = await crm.agent()
    client = await crm.client(agent)
    first, second = await crm.task(client, 94, "Day 1"), await crm.task(client, 46, "Day 3")
    assert (await crm.sweep()).sent == 1
    assert (await tasks.read(agent.id, first)).reason == "too_late"
    assert (await tasks.read(agent.id, second)).status == "completed"


async def test_a_second_mail_to_a_client_waits_for_the_gap(crm, mails):
    agent = await crm.agent()
    [client] = await crm.due(agent)
    await crm.sweep()
    second = await crm.task(client)
    assert (await crm.sweep()).sent == 0
    assert (await tasks.read(agent.id, second)).reason == "minimum-gap"
    await crm.pass_time(25 * 60)
    assert (await crm.sweep()).sent == 1


async def test_with_nothing_due_the_question_notes_the_sweep_and_claims_nothing(crm):
    await crm.due(await crm.agent(), hours_ago=-1)
    assert not await claims.anything_due()
    [row] = await crm.fetch("select swept_at is not null as swept from followups.scheduler")
    assert row["swept"]
    assert await claims.claim(10) == []
    await crm.pass_time(120)
    assert await claims.anything_due()


async def test_sweeps_late_and_doubled_send_the_same_mails(crm, mails):
    found = await crm.due(await crm.agent(), 6)
    await asyncio.gather(crm.sweep(), crm.sweep())
    await crm.pass_time(7)
    later = await crm.due(await crm.agent("b@example.com"), 2)
    await asyncio.gather(crm.sweep(), crm.sweep())
    assert received(mails) == {client.email: 1 for client in found + later}
