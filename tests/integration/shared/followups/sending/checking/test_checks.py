"""What keeps a mail that is due from going out now."""

from activities.followups.sending import hand_over_followup
from shared.followups.sending import claims
from shared.followups.steps import SweepSummary
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.sending.conftest import written


async def test_a_mail_waits_for_its_agent_to_approve_it(crm, mails):
    await crm.due(await crm.agent(send_mode="approve"))
    assert (await crm.sweep()).held_back == 1
    [mail] = await crm.fetch("select state, hold_reason, body from followups.emails")
    assert (mail["state"], mail["hold_reason"]) == ("held", "approval")
    assert not await claims.anything_due()
    await crm.execute(
        "update followups.emails set state = 'claimed', hold_reason = null, approved_at = now(), leased_until = now()"
    )
    assert (await crm.sweep()).sent == 1
    [sent] = mails.mails(9)
    assert mail["body"] in sent.text.replace("\r\n", "\n")
    assert sent.headers["Reply-To"] == "agent@example.com"
    assert "1 Main Street" in sent.text


async def test_no_mail_goes_out_without_a_postal_address(crm, mails):
    await crm.due(await crm.agent(postal_address=None))
    await crm.sweep()
    [mail] = await crm.fetch("select hold_reason from followups.emails")
    assert mail["hold_reason"] == "no-postal-address"
    assert mails.mails(9) == []


async def test_the_daily_cap_moves_the_rest_to_the_next_day(crm, mails):
    await crm.due(await crm.agent(daily_cap=3), 5)
    assert (await crm.sweep()).sent == 3
    moved = await crm.fetch(
        "select reason, scheduled_for > now() as later from followups.tasks where status = 'pending'"
    )
    assert moved == [{"reason": "daily-cap", "later": True}] * 2
    assert await crm.sweep() == SweepSummary()


async def test_the_warm_up_lets_few_out_on_the_first_day(crm, mails, monkeypatch):
    monkeypatch.setenv("FOLLOWUPS_WARM_UP", "2")
    forget_settings()
    await crm.due(await crm.agent(), 5)
    assert (await crm.sweep()).sent == 2


async def test_one_switch_stops_everything_and_lets_it_go_on(crm, mails):
    await crm.due(await crm.agent(), 2)
    found = await written()
    await crm.execute("update followups.scheduler set stopped_at = now(), stop_reason = 'test'")
    assert {(await hand_over_followup(claim)).reason for claim in found} == {"all-stopped"}
    assert not await claims.anything_due()
    await crm.execute("update followups.scheduler set stopped_at = null")
    assert (await crm.sweep()).sent == 2
