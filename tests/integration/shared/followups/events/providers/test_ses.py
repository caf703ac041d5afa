"""Events of SES: what each says of its mail and of the address."""

import pytest

from shared.followups.sending import claims, outbox
from tests.integration.shared.followups.events.conftest import SENT, event, message, sent_mail


async def test_the_event_of_a_mail_whose_answer_was_lost_settles_it(post_sns, crm, axes):
    await crm.due(await crm.agent())
    [claim] = await claims.claim(10)
    await compose(claim)
    await outbox.begin(claim, "ses")
    await crm.pass_time(outbox.SENDING_MINUTES)
    assert await outbox.give_up_expired() == [claim.email_id]
    await post_sns(message(event("Send", "send", claim.email_id)))
    assert await axes(claim.email_id) == ("none", "none", "sent")
    assert [row["status"] for row in await crm.fetch("select status from followups.tasks")] == ["completed"]


async def compose(claim):
    from activities.followups.sending import compose_followup

    assert (await compose_followup(claim)).ready


async def suppressed(crm):
    return await crm.fetch("select scope, reason, created_at is not null as dated from followups.suppressions")


async def test_a_permanent_bounce_suppresses_the_address_for_every_mail(post_sns, crm):
    mail = await sent_mail(crm)
    await post_sns(message(event("Bounce", "bounce", mail["id"], bounceType="Permanent", bounceSubType="General")))
    assert await suppressed(crm) == [{"scope": "all", "reason": "bounce", "dated": True}]


@pytest.mark.parametrize("subtype", ["Suppressed", "OnAccountSuppressionList"])
async def test_the_providers_own_list_suppresses_the_address_and_says_so(post_sns, crm, subtype):
    mail = await sent_mail(crm)
    await post_sns(message(event("Bounce", "bounce", mail["id"], bounceType="Permanent", bounceSubType=subtype)))
    assert await suppressed(crm) == [{"scope": "all", "reason": "provider-list", "dated": True}]


async def test_a_complaint_suppresses_follow_ups_and_a_bounce_is_graver(post_sns, crm, axes):
    mail = await sent_mail(crm)
    await post_sns(message(event("Complaint", "complaint", mail["id"])))
    assert await suppressed(crm) == [{"scope": "cadence", "reason": "complaint", "dated": True}]
    await post_sns(message(event("Bounce", "bounce", mail["id"], bounceType="Permanent")))
    assert await suppressed(crm) == [{"scope": "all", "reason": "bounce", "dated": True}]
    assert (await axes(mail["id"]))[0] == "complained"


async def test_transient_bounces_defer_and_the_third_mail_suppresses(post_sns, crm, axes):
    first = await sent_mail(crm)
    for count in range(3):
        assert (await suppressed(crm)) == []
        await crm.execute(SENT, 1)
        [newest] = await crm.fetch("select id from followups.emails order by id desc limit 1")
        await crm.execute("update followups.emails set recipient = %s where id = %s", first["recipient"], newest["id"])
        bounce = event("Bounce", "bounce", newest["id"], bounceType="Transient", bounceSubType=f"n{count}")
        await post_sns(message(bounce))
        assert (await axes(newest["id"]))[0] == "deferred"
    assert await suppressed(crm) == [{"scope": "cadence", "reason": "deferred-too-often", "dated": True}]


async def test_an_event_of_a_mail_that_is_not_ours_changes_nothing(post_sns, crm, axes):
    mail = await sent_mail(crm)
    for stranger in (mail["id"] + 99, "x", 2**70):
        assert await post_sns(message(event("Complaint", "complaint", stranger))) == "taken"
    assert await post_sns(message({"eventType": "Subscription"})) == "ignored"
    await post_sns(message({"eventType": "Bounce"}), status=400)
    assert await axes(mail["id"]) == ("none", "none", "sent")
