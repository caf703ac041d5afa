"""Posts to webhooks, and a mail that was sent, of which they tell."""

import base64
import hmac
import json
from datetime import UTC, datetime
from uuid import uuid4

import azure.functions as func
import pytest

from shared.followups.events.models import ProviderEvent
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
