"""Messages of SNS: nothing is fetched before topic and address are known to be right, and no forged one is recorded."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.followups.events.providers import bad_signatures
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import claims
from tests.integration.shared.followups.events.conftest import CERTIFICATE, TOPIC, event, message, sent_mail

CONFIRM = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_signed_event_is_taken_once(post_sns, crm, version, axes):
    mail = await sent_mail(crm)
    body = message(event("Delivery", "delivery", mail["id"]), version=version)
    assert [await post_sns(body), await post_sns(body)] == ["taken", "known"]
    assert await axes(mail["id"]) == ("delivered", "none", "sent")
    assert post_sns.fetched == [CERTIFICATE]


async def test_a_subscription_of_our_topic_is_confirmed_without_anybody_signed_in(post_sns):
    body = message(Type="SubscriptionConfirmation", SubscribeURL=CONFIRM, Token="t")
    assert await post_sns(body) == "confirmed"
    assert post_sns.fetched == [CERTIFICATE, CONFIRM]


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
async def test_what_points_elsewhere_is_refused_before_anything_is_fetched(post_sns, changed):
    await post_sns(message(**changed), status=403)
    assert post_sns.fetched == []


async def test_a_wrong_signature_is_refused_and_changes_nothing(post_sns, crm, axes):
    mail = await sent_mail(crm)
    body = message(event("Complaint", "complaint", mail["id"]), key=OTHER_KEY)
    await post_sns(body, status=401)
    changed = json.loads(message(event("Delivery", "delivery", mail["id"])))
    await post_sns(
        json.dumps(changed | {"Message": json.dumps(event("Complaint", "complaint", mail["id"]))}).encode(), 401
    )
    await post_sns(b"{}", status=400)
    assert await axes(mail["id"]) == ("none", "none", "sent")


async def test_twenty_bad_signatures_turn_the_health_red_and_tell_a_person(post_sns, crm, mails):
    await claims.note_sweep()
    for _ in range(bad_signatures.MOST):
        await post_sns(message(TopicArn=f"{TOPIC}x"), status=403)
    found = await scheduler_health()
    assert (found.status, found.bad_signatures) == ("red", bad_signatures.MOST)
    assert [mail.subject.strip()[:22] for mail in mails.mails(9)] == ["[Manifold] followups: "]
