"""What is known of a mail is read when it is handed over, not when it was written."""

import pytest

from activities.followups.sending import hand_over_followup
from shared.followups.people import clients
from shared.followups.steps import SweepSummary
from tests.integration.shared.followups.sending.conftest import written


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update followups.clients set email_unsubscribed = true", "unsubscribed"),
        ("update followups.clients set stage = 'closed'", "stage"),
        ("update followups.tasks set status = 'skipped', reason = 'replied'", "claim-lost"),
        ("insert into followups.suppressions select email, 'cadence', 'x' from followups.clients", "suppressed"),
        ("update followups.clients set paused_at = now()", "client-paused"),
    ],
)
async def test_what_happens_after_the_text_was_written_is_seen_before_it_is_sent(crm, mails, change, reason):
    await crm.due(await crm.agent())
    [claim] = await written()
    await crm.execute(change)
    assert (await hand_over_followup(claim)).reason == reason
    assert await crm.sweep() == SweepSummary()
    assert mails.mails(9) == []


async def test_a_deleted_client_gets_nothing(crm, mails):
    agent = await crm.agent()
    [client] = await crm.due(agent)
    [claim] = await written()
    await clients.delete(agent.id, [client.id])
    assert (await hand_over_followup(claim)).reason == "claim-lost"
    assert await crm.states() == {"cancelled": 1}
