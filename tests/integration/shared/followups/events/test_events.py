"""Events in every order: one end state, and what complaints and clicks change."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

from shared.followups.events import inbox
from shared.followups.events.models import ProviderEvent
from shared.followups.sending import claims
from shared.followups.sending.checking import brakes
from tests.integration.shared.followups.events.conftest import SENT, provider_event, sent_mail

ORDER = ("sent", "delivered", "opened", "bounced", "complained")


async def test_all_120_orders_of_events_come_to_one_end_state(crm, mails, axes):
    mail = await sent_mail(crm)
    ends = set()
    for number, order in enumerate(permutations(ORDER)):
        await crm.execute("update followups.emails set delivery = 'none', engagement = 'none'")
        await crm.execute("delete from followups.provider_events")
        for kind in order:
            assert await inbox.record_event(
                ProviderEvent(
                    provider="ses",
                    event_id=f"{number}-{kind}",
                    email_id=mail["id"],
                    kind=kind,
                    permanent=kind == "bounced",
                    happened_at=datetime.now(UTC),
                )
            )
        ends.add(await axes(mail["id"]))
    assert ends == {("complained", "opened", "sent")}


async def brakes_after(crm, mails, complaints):
    """How many warnings came and whether all is stopped, after so many complaints of other mails."""
    found = await crm.fetch("select id from followups.emails where delivery = 'none' order by id limit %s", complaints)
    for row in found:
        await inbox.record_event(provider_event("complained", row["id"]))
    [row] = await crm.fetch("select stop_reason from followups.scheduler")
    return [mail.subject.strip() for mail in mails.mails(9)], row["stop_reason"]


async def test_a_tenth_of_a_per_cent_of_complaints_warns_and_three_stop_everything(crm, mails):
    await crm.client(await crm.agent())
    await crm.execute(SENT, 2000)
    assert await brakes_after(crm, mails, 1) == ([], None)
    warning = "[Manifold] followups: 2 complaints of 2000 mails"
    assert await brakes_after(crm, mails, 1) == ([warning], None)
    assert await brakes_after(crm, mails, 3) == ([warning], None)
    warnings, stopped = await brakes_after(crm, mails, 1)
    assert stopped == "6 complaints of 2000 mails in 30 days"
    assert warnings == [warning, "[Manifold] followups: 6 complaints of 2000 mails"]
    assert not await claims.anything_due()


async def test_of_a_few_mails_one_or_two_complaints_are_no_share_to_judge_by_and_three_are(crm, mails):
    await crm.client(await crm.agent())
    await crm.execute(SENT, brakes.JUDGED_FROM - 1)
    assert await brakes_after(crm, mails, brakes.FEWEST_COMPLAINTS - 1) == ([], None)
    assert (await brakes_after(crm, mails, 1))[1] == "3 complaints of 999 mails in 30 days"


async def test_what_people_open_and_click_never_steers_the_cadence(crm, mails, axes):
    agent = await crm.agent()
    client = await crm.client(agent, create_tasks=True)
    await crm.execute("update followups.tasks set scheduled_for = now() where followup_type = 'Day 1'")
    await crm.sweep()
    planned = (
        "select followup_type, scheduled_for, status, reason from followups.tasks where client_id = %s order by id"
    )
    before = await crm.fetch(planned, client.id)
    [mail] = await crm.fetch("select id from followups.emails")
    for kind in ("opened", "clicked", "opened"):
        later = datetime.now(UTC) + timedelta(hours=1)
        event = ProviderEvent(provider="x", event_id=str(uuid4()), email_id=mail["id"], kind=kind, happened_at=later)
        assert await inbox.record_event(event)
    assert (await axes(mail["id"]))[1] == "clicked"
    assert await crm.fetch(planned, client.id) == before
