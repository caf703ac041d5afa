"""Posts to webhooks, and a mail that was sent, of which they tell."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
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

from shared.followups.events.models import ProviderEvent
from shared.followups.events.providers import sns
from tests.fresh_settings import forget_settings
from triggers.followups.events import webhooks

SECRET = "whsec_" + base64.b64encode(b"a secret of the webhooks").decode()


def signed(body, event_id=None, secret=SECRET, at=None, prefix="svix"):
    """The headers of a signature, made as the standard says and not by the library that checks it."""
    event_id, moment = event_id or f"msg_{uuid4().hex}", str(int(at or datetime.now(UTC).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"{event_id}.{moment}.".encode() + body, "sha256")).decode()
    return {
        f"{prefix}-id": event_id,
        f"{prefix}-timestamp": moment,
        f"{prefix}-signature": f"v1,{base64.b64encode(b'x' * 32).decode()} v1,{signature}",
    }


def provider_event(kind, email_id, provider="ses", **fields):
    """An event of a provider, as its webhook's route reads it."""
    event = {"provider": provider, "event_id": uuid4().hex, "email_id": email_id, "kind": kind}
    return ProviderEvent.model_validate(event | {"happened_at": datetime.now(UTC)} | fields)


@pytest.fixture
def post(crm, mails):
    """Posts bytes with headers to a webhook; what it answered."""

    async def send(path, body, headers=None, status=200):
        [operation] = [one for one in webhooks.routes.operations if one.route == f"/webhooks/{path}"]
        url = f"https://app.example.com/webhooks/{path}"
        answer = await operation.answer(func.HttpRequest(method="POST", url=url, headers=headers or {}, body=body))
        assert answer.status_code == status, answer.get_body()
        return json.loads(answer.get_body())

    return send


@pytest.fixture
async def sent(crm, mails):
    """A mail that was sent an hour ago."""
    await crm.due(await crm.agent())
    await crm.sweep()
    await crm.execute("update followups.emails set sending_at = now() - interval '1 hour' where state = 'sent'")
    [row] = await crm.fetch("select id, recipient, message_key, client_id, agent_id from followups.emails")
    return row


@pytest.fixture
def axes(crm):
    async def read(email_id):
        [row] = await crm.fetch("select delivery, engagement, state from followups.emails where id = %s", email_id)
        return row["delivery"], row["engagement"], row["state"]

    return read


@pytest.fixture
def outcome(crm, axes):
    """A mail's two axes, and whom it made us write to no more: scope, reason, and whether it has a date."""

    async def read(email_id):
        found = await crm.fetch("select scope, reason, created_at is not null as dated from followups.suppressions")
        return *(await axes(email_id))[:2], [(row["scope"], row["reason"], row["dated"]) for row in found]

    return read


TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-events"


CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123.pem"


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


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
def post_sns(crm, mails, monkeypatch):
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
