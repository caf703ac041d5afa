"""Events of SES over SNS: signatures first, each once, one end state for every order, and what follows from them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import azure.functions as func
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from shared.followups.events import inbox
from shared.followups.events.models import ProviderEvent
from shared.followups.events.providers import bad_signatures, sns
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import claims, outbox
from shared.followups.sending.checking import brakes
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.events.conftest import provider_event
from triggers.followups.events import webhooks

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-events"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123.pem"
CONFIRM = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ORDER = ("sent", "delivered", "opened", "bounced", "complained")


def certificate():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


PEM = certificate()


def message(event=None, key=KEY, version="2", **changed):
    """A signed message, as SNS posts it."""
    fields = {
        "Type": "Notification",
        "MessageId": str(uuid4()),
        "TopicArn": TOPIC,
        "Message": json.dumps(event or {}),
        "Timestamp": "2026-11-30T09:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        "Signature": "",
        **changed,
    }
    digest = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = key.sign(sns.SnsMessage.model_validate(fields).signed, PKCS1v15(), digest)
    return json.dumps(fields | {"Signature": base64.b64encode(signature).decode()}).encode()


def event(kind, part, email_id, **details):
    at = datetime.now(UTC).isoformat()
    mail = {"timestamp": at, "messageId": "m", "tags": {"followup": [str(email_id)]}}
    return {"eventType": kind, "mail": mail, part: {"timestamp": at, **details}}


@pytest.fixture
def web(crm, mails, monkeypatch):
    """Posts to the webhook; what it fetched from SNS is in `fetched`."""
    fetched = []

    async def fetch(url):
        fetched.append(url)
        return PEM

    async def send(body, status=200):
        [operation] = [one for one in webhooks.routes.operations if one.route == "/webhooks/ses"]
        request = func.HttpRequest(method="POST", url="https://app/webhooks/ses", headers={}, body=body)
        answer = await operation.answer(request)
        assert answer.status_code == status, answer.get_body()
        return json.loads(answer.get_body()).get("result")

    monkeypatch.setattr(sns, "fetch", fetch)
    monkeypatch.setenv("FOLLOWUPS_SNS_TOPICS", TOPIC)
    forget_settings()
    monkeypatch.setattr(sns, "_certificates", {})
    post: Any = send
    post.fetched = fetched
    return post


async def sent_mail(crm, agent=None):
    """A mail that was sent an hour ago."""
    await crm.due(agent or await crm.agent())
    await crm.sweep()
    await crm.execute("update followups.emails set sending_at = now() - interval '1 hour' where state = 'sent'")
    [row] = await crm.fetch("select id, recipient from followups.emails order by id desc limit 1")
    return row


async def axes(crm, email_id):
    [row] = await crm.fetch("select delivery, engagement, state from followups.emails where id = %s", email_id)
    return row["delivery"], row["engagement"], row["state"]


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_signed_event_is_taken_once(web, crm, version):
    mail = await sent_mail(crm)
    body = message(event("Delivery", "delivery", mail["id"]), version=version)
    assert [await web(body), await web(body)] == ["taken", "known"]
    assert await axes(crm, mail["id"]) == ("delivered", "none", "sent")
    assert web.fetched == [CERTIFICATE]


async def test_a_subscription_of_our_topic_is_confirmed_without_anybody_signed_in(web):
    body = message(Type="SubscriptionConfirmation", SubscribeURL=CONFIRM, Token="t")
    assert await web(body) == "confirmed"
    assert web.fetched == [CERTIFICATE, CONFIRM]


@pytest.mark.parametrize(
    "changed",
    [
        {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:other"},
        {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:other", "Type": "SubscriptionConfirmation", "Token": "t",
         "SubscribeURL": CONFIRM},
        {"SigningCertURL": "https://s3.amazonaws.com/SimpleNotificationService-0123456789abcdef0123.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef0123.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789abcdef0123.pem"},
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/other.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef0123.pem"},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123.pem"},
        {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": "http://169.254.169.254/latest/meta-data"},
        {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": "https://evil.example/"},
        {"Type": "SubscriptionConfirmation", "Token": "t"},
    ],
)  # fmt: skip
async def test_what_points_elsewhere_is_refused_before_anything_is_fetched(web, changed):
    await web(message(**changed), status=403)
    assert web.fetched == []


async def test_a_wrong_signature_is_refused_and_changes_nothing(web, crm):
    mail = await sent_mail(crm)
    body = message(event("Complaint", "complaint", mail["id"]), key=OTHER_KEY)
    await web(body, status=401)
    changed = json.loads(message(event("Delivery", "delivery", mail["id"])))
    await web(json.dumps(changed | {"Message": json.dumps(event("Complaint", "complaint", mail["id"]))}).encode(), 401)
    await web(b"{}", status=400)
    assert await axes(crm, mail["id"]) == ("none", "none", "sent")


async def test_twenty_bad_signatures_turn_the_health_red_and_tell_a_person(web, crm, mails):
    await claims.note_sweep()
    for _ in range(bad_signatures.MOST):
        await web(message(TopicArn=f"{TOPIC}x"), status=403)
    found = await scheduler_health()
    assert (found.status, found.bad_signatures) == ("red", bad_signatures.MOST)
    assert [mail.subject.strip()[:22] for mail in mails.mails(9)] == ["[Manifold] followups: "]


async def test_the_event_of_a_mail_whose_answer_was_lost_settles_it(web, crm):
    await crm.due(await crm.agent())
    [claim] = await claims.claim(10)
    await compose(claim)
    await outbox.begin(claim, "ses")
    await crm.pass_time(outbox.SENDING_MINUTES)
    assert await outbox.give_up_expired() == [claim.email_id]
    await web(message(event("Send", "send", claim.email_id)))
    assert await axes(crm, claim.email_id) == ("none", "none", "sent")
    assert [row["status"] for row in await crm.fetch("select status from followups.tasks")] == ["completed"]


async def compose(claim):
    from activities.followups.sending import compose_followup

    assert (await compose_followup(claim)).ready


async def test_all_120_orders_of_events_come_to_one_end_state(crm, mails):
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
        ends.add(await axes(crm, mail["id"]))
    assert ends == {("complained", "opened", "sent")}


async def suppressed(crm):
    return await crm.fetch("select scope, reason, created_at is not null as dated from followups.suppressions")


async def test_a_permanent_bounce_suppresses_the_address_for_every_mail(web, crm):
    mail = await sent_mail(crm)
    await web(message(event("Bounce", "bounce", mail["id"], bounceType="Permanent", bounceSubType="General")))
    assert await suppressed(crm) == [{"scope": "all", "reason": "bounce", "dated": True}]


@pytest.mark.parametrize("subtype", ["Suppressed", "OnAccountSuppressionList"])
async def test_the_providers_own_list_suppresses_the_address_and_says_so(web, crm, subtype):
    mail = await sent_mail(crm)
    await web(message(event("Bounce", "bounce", mail["id"], bounceType="Permanent", bounceSubType=subtype)))
    assert await suppressed(crm) == [{"scope": "all", "reason": "provider-list", "dated": True}]


async def test_a_complaint_suppresses_follow_ups_and_a_bounce_is_graver(web, crm):
    mail = await sent_mail(crm)
    await web(message(event("Complaint", "complaint", mail["id"])))
    assert await suppressed(crm) == [{"scope": "cadence", "reason": "complaint", "dated": True}]
    await web(message(event("Bounce", "bounce", mail["id"], bounceType="Permanent")))
    assert await suppressed(crm) == [{"scope": "all", "reason": "bounce", "dated": True}]
    assert (await axes(crm, mail["id"]))[0] == "complained"


async def test_transient_bounces_defer_and_the_third_mail_suppresses(web, crm):
    first = await sent_mail(crm)
    for count in range(3):
        assert (await suppressed(crm)) == []
        await crm.execute(SENT, 1)
        [newest] = await crm.fetch("select id from followups.emails order by id desc limit 1")
        await crm.execute("update followups.emails set recipient = %s where id = %s", first["recipient"], newest["id"])
        bounce = event("Bounce", "bounce", newest["id"], bounceType="Transient", bounceSubType=f"n{count}")
        await web(message(bounce))
        assert (await axes(crm, newest["id"]))[0] == "deferred"
    assert await suppressed(crm) == [{"scope": "cadence", "reason": "deferred-too-often", "dated": True}]


async def test_an_event_of_a_mail_that_is_not_ours_changes_nothing(web, crm):
    mail = await sent_mail(crm)
    for stranger in (mail["id"] + 99, "x", 2**70):
        assert await web(message(event("Complaint", "complaint", stranger))) == "taken"
    assert await web(message({"eventType": "Subscription"})) == "ignored"
    await web(message({"eventType": "Bounce"}), status=400)
    assert await axes(crm, mail["id"]) == ("none", "none", "sent")


SENT = """
with made as (
    insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority, status)
    select agent_id, id, 'Custom', now(), now(), 'low', 'completed' from followups.clients, generate_series(1, %s)
    returning id, agent_id, client_id
)
insert into followups.emails (task_id, agent_id, client_id, state, leased_until, writer, sender, recipient, reply_to,
    subject, body, footer, composed_at, sending_at, sent_at)
select id, agent_id, client_id, 'sent', now(), 'x', 'a@example.com', 'b' || id || '@example.com', 'c@example.com',
    's', 'b', 'f', now(), now(), now() from made
"""


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


async def test_what_people_open_and_click_never_steers_the_cadence(crm, mails):
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
    assert (await axes(crm, mail["id"]))[1] == "clicked"
    assert await crm.fetch(planned, client.id) == before
