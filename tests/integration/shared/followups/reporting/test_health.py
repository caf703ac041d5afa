"""The scheduler is red when sweeps or due tasks are old, also while everything else is fine."""

import azure.functions as func
import pytest

from activities.followups import sending
from orchestrators.followups.sending import send_followups
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import claims, outbox
from shared.followups.sending.senders import pace
from shared.followups.steps import Outcome
from shared.platform.durable import Nothing
from shared.platform.errors import TerminalError, TransientError
from tests.hostless import Hostless
from tests.integration.player import Player
from triggers.followups import upkeep

TEN_MINUTES_AGO = "update followups.scheduler set swept_at = now() - interval '10 minutes'"


async def test_it_is_green_after_a_sweep(crm, mails):
    assert (await scheduler_health()).reasons == ["no sweep has ended yet"]
    await claims.anything_due()
    assert (await scheduler_health()).status == "green"


async def test_a_sweep_that_fails_for_ten_minutes_turns_it_red_by_both_ages(crm, monkeypatch):
    await crm.due(await crm.agent(), hours_ago=0.6)
    await crm.execute(TEN_MINUTES_AGO)

    class Client(Hostless):
        async def start_if_idle(self, *_, **__):
            raise RuntimeError("The durable host is away.")

    assert await upkeep.sweep.due(Client())
    with pytest.raises(RuntimeError):
        await upkeep.sweep.run(Client())
    found = await scheduler_health()
    assert (found.status, len(found.reasons)) == ("red", 2)
    [operation] = upkeep.routes.operations
    request = func.HttpRequest(method="GET", url="https://app/health/scheduler", headers={}, body=b"")
    assert (await operation.answer(request)).status_code == 503


async def test_paused_tasks_do_not_count_as_late(crm):
    await crm.due(await crm.agent(), hours_ago=5)
    await crm.execute("update followups.agents set paused_at = now()")
    await claims.anything_due()
    found = await scheduler_health()
    assert (found.status, found.oldest_due_age_seconds) == ("green", None)


class Plays(Hostless):
    """Plays the sweep that it is to start, as a host that has nothing else to do."""

    async def start_if_idle(self, orchestration, task, **_):
        await Player().play(orchestration, task)
        return True


async def test_a_sweep_counts_when_it_has_ended(crm, mails):
    await crm.due(await crm.agent())
    await crm.execute(TEN_MINUTES_AGO)
    await upkeep.sweep.run(Plays())
    assert (len(mails.mails(9)), (await scheduler_health()).status) == (1, "green")


async def test_a_sweep_that_was_only_started_does_not_count(crm):
    await crm.due(await crm.agent(), hours_ago=0.1)
    await crm.execute(TEN_MINUTES_AGO)

    class Client(Hostless):
        def __init__(self, *, started):
            self.started = started

        async def start_if_idle(self, *_, **__):
            return self.started

    for started in (True, False):
        await upkeep.sweep.run(Client(started=started))
        [reason] = (await scheduler_health()).reasons
        assert reason.startswith("the last sweep ended 6")


@pytest.mark.parametrize("step", ["settle", "claim"])
async def test_a_sweep_whose_steps_fail_does_not_count(crm, monkeypatch, step):
    await crm.due(await crm.agent(), hours_ago=0.1)
    await crm.execute(TEN_MINUTES_AGO)

    async def fail(*_):
        raise TerminalError("The step fails.")

    monkeypatch.setattr(
        outbox if step == "settle" else claims, "give_up_expired" if step == "settle" else "claim", fail
    )
    with pytest.raises(TerminalError):
        await Player().play(send_followups, Nothing())
    assert (await scheduler_health()).status == "red"


class Postpones:
    name = "smtp"

    def __init__(self, code):
        self.code = code

    async def send(self, _):
        return Outcome(kind="postponed", provider=self.name, code=self.code)


async def after(crm, minutes):
    """What one sweep says of itself while it goes on failing for so long, one each five minutes."""
    for _ in range(minutes // 5):
        await crm.sweep()
        await crm.pass_time(5)
    await crm.sweep()
    return await scheduler_health()


@pytest.mark.parametrize("fails", ["compose", "turn", "relay-unreachable", "no-token"])
async def test_sweeps_that_end_and_send_nothing_turn_it_red_after_ten_minutes(crm, monkeypatch, fails):
    async def away(*_):
        raise TransientError("Something is away.")

    if fails in ("compose", "turn"):
        monkeypatch.setattr(sending if fails == "compose" else pace, fails, away)
    else:
        monkeypatch.setattr(sending, "sender", lambda: Postpones(fails))
    await crm.due(await crm.agent(), hours_ago=0)
    assert (await after(crm, 5)).status == "green"
    found = await after(crm, 10)
    assert (found.status, len(found.reasons)) == ("red", 1)
    assert found.last_sweep_age_seconds == pytest.approx(0, abs=30)
    assert found.oldest_due_age_seconds == pytest.approx(15 * 60, abs=60)


async def test_a_long_queue_that_is_being_sent_is_green_for_half_an_hour(crm, mails):
    agent = await crm.agent()
    await crm.due(agent)
    await crm.sweep()
    await crm.due(agent, hours_ago=0.4)
    assert (await scheduler_health()).status == "green"
    await crm.pass_time(7)
    assert (await scheduler_health()).status == "red"


async def test_a_long_sweep_that_sends_is_green_though_it_has_not_ended(crm, mails):
    await crm.due(await crm.agent())
    await crm.sweep()
    await crm.execute(TEN_MINUTES_AGO)
    assert (await scheduler_health()).status == "green"
    await crm.execute("update followups.emails set sent_at = now() - interval '6 minutes'")
    assert (await scheduler_health()).status == "red"


async def test_a_task_is_late_from_when_it_was_due_whoever_has_claimed_it_since(crm):
    await crm.due(await crm.agent(), hours_ago=2)
    await claims.claim(9)
    assert await claims.claim(9) == []
    await claims.note_sweep()
    found = await scheduler_health()
    assert found.oldest_due_age_seconds == pytest.approx(7200, abs=60)
    assert found.status == "red"


async def test_a_mail_that_the_provider_asked_to_send_later_is_not_late(crm, monkeypatch):
    class Busy:
        name = "smtp"

        async def send(self, _):
            return Outcome(kind="postponed", provider=self.name, code="451")

    monkeypatch.setattr(sending, "sender", Busy)
    await crm.due(await crm.agent(), hours_ago=2)
    assert (await crm.sweep()).postponed == 1
    assert (await scheduler_health()).oldest_due_age_seconds is None


async def test_a_mail_is_late_from_its_approval_on(crm, mails):
    await crm.due(await crm.agent(send_mode="approve"), hours_ago=2)
    await crm.sweep()
    await crm.execute(
        "update followups.emails set state = 'claimed', hold_reason = null, approved_at = now(), leased_until = now()"
    )
    assert (await scheduler_health()).oldest_due_age_seconds == pytest.approx(0, abs=30)
