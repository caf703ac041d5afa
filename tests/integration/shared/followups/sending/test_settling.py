"""What becomes of a mail that a provider refuses, puts off or cannot be reached for."""

from local.processes import free_port
from local.smtp.sink import Rejection
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import settling
from shared.followups.steps import SweepSummary
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.sending.conftest import received


async def test_of_five_mails_the_third_is_refused_and_the_next_sweep_sends_nothing(crm, mails):
    found = await crm.due(await crm.agent(), 5)
    mails.reject(Rejection(address=found[2].email, code=554))
    swept = await crm.sweep()
    assert (swept.sent, swept.failed) == (4, 1)
    assert await crm.states() == {"sent": 4, "failed": 1}
    [failed] = await crm.fetch(
        "select e.error_code, e.error, t.status, t.reason from followups.emails e"
        " join followups.tasks t on t.id = e.task_id where e.state = 'failed'"
    )
    assert (failed["error_code"], failed["status"], failed["reason"]) == ("554", "skipped", "send-failed")
    assert await crm.sweep() == SweepSummary()
    assert set(received(mails).values()) == {1}


async def test_an_address_without_a_mailbox_is_not_written_to_again(crm, mails):
    agent = await crm.agent()
    [client] = await crm.due(agent)
    mails.reject(Rejection(address=client.email, code=550))
    await crm.sweep()
    mails.rejections.clear()
    await crm.task(client)
    assert (await crm.sweep()).sent == 0
    assert [row["scope"] for row in await crm.fetch("select scope from followups.suppressions")] == ["all"]
    reasons = await crm.fetch("select reason from followups.tasks order by id")
    assert [row["reason"] for row in reasons] == ["send-failed", "suppressed"]
    assert received(mails) == {}


async def test_a_relay_that_asks_to_come_later_gets_the_same_mail_later(crm, mails):
    [client] = await crm.due(await crm.agent())
    mails.reject(Rejection(address=client.email, code=451, times=1))
    assert (await crm.sweep()).postponed == 1
    assert await crm.sweep() == SweepSummary()
    await crm.pass_time(3)
    assert (await crm.sweep()).sent == 1
    assert received(mails) == {client.email: 1}


async def test_a_relay_that_never_takes_the_mail_is_given_up(crm, mails):
    [client] = await crm.due(await crm.agent())
    mails.reject(Rejection(address=client.email, code=451))
    for _ in range(settling.MOST_ATTEMPTS):
        assert (await crm.sweep()).postponed == 1
        await crm.pass_time(120)
    assert await crm.sweep() == SweepSummary()
    assert await crm.states() == {"failed": 1}


async def test_a_relay_that_is_away_for_hours_loses_no_mail(crm, mails, monkeypatch):
    """Of a relay that is away nothing is learnt about a mail, so none is given up before it is too late for it."""
    await crm.due(await crm.agent(), 3)
    with monkeypatch.context() as away:
        away.setenv("SMTP_PORT", str(free_port()))
        forget_settings()
        for _ in range(2 * settling.MOST_ATTEMPTS):
            assert (await crm.sweep()).postponed == 3
            await crm.pass_time(settling.LONGEST_DELAY.total_seconds() / 60)
        assert (await scheduler_health()).status == "red"
    forget_settings()
    assert (await crm.sweep()).sent == 3
    assert await crm.states() == {"sent": 3}


async def test_a_mail_that_no_relay_took_in_three_days_is_too_late(crm, mails, monkeypatch):
    await crm.due(await crm.agent(), hours_ago=71)
    with monkeypatch.context() as away:
        away.setenv("SMTP_PORT", str(free_port()))
        forget_settings()
        assert (await crm.sweep()).postponed == 1
    forget_settings()
    await crm.pass_time(2 * 60)
    await crm.sweep()
    [task] = await crm.fetch("select status, reason from followups.tasks")
    assert task == {"status": "skipped", "reason": "too_late"}
    assert not received(mails)
