"""A mail, and each provider's adapter beside what its stand-in received."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID  # pyright: ignore[reportPrivateImportUsage] - as moto's own pages import it
from moto.ses.models import ses_backends

from activities.followups import sending
from local.arm.servers import listening
from local.providers import communication as grid
from local.providers.communication import Communication
from shared.followups.sending.message import Mail
from shared.followups.sending.senders import communication as communication_sender
from shared.followups.sending.senders import sender
from shared.followups.sending.senders.communication import CommunicationAccount, CommunicationSender
from shared.followups.sending.senders.ses import SesAccount, SesSender, _client
from tests.present import present

REGION = "eu-west-1"


def mail(**changed):
    fields: dict[str, Any] = {
        "email_id": 5,
        "key": uuid4(),
        "sender_name": "Alice via Acme",
        "sender": "followups@example.com",
        "recipient_name": "Ann",
        "recipient": "ann@example.com",
        "reply_to": "alice@example.com",
        "subject": "A few words about your plans",
        "body": "Hello Ann,\n\n.\n\nA line of one full stop is above.",
        "footer": "Alice\n1 Main Street",
        "date": datetime.now(UTC),
        "unsubscribe": "https://app.example.com/unsubscribe/1",
        **changed,
    }
    return Mail(**fields)


def account(**changed):
    fields: dict[str, Any] = {"region": REGION, "access_key_id": "x", "secret_access_key": "y", **changed}
    return SesAccount(**fields)


@pytest.fixture
def smtp(crm, mails):
    return sender(), lambda: [(one.recipients[0], one.headers, one.text) for one in mails.mails(9)]


@pytest.fixture
def ses():
    def received():
        sent = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
        read = [message_from_bytes(one.raw_data.encode(), policy=policy.SMTP) for one in sent]
        return [(str(m["To"].addresses[0].addr_spec), m, present(m.get_body(("plain",))).get_content()) for m in read]

    _client.cache_clear()
    with mock_aws():
        boto3.client(
            "sesv2", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y"
        ).create_email_identity(EmailIdentity="followups@example.com")
        yield SesSender(account()), received
    _client.cache_clear()


@pytest.fixture
async def service(monkeypatch):
    """The stand-in of Communication Services, and the adapter that speaks to it."""
    found = Communication()
    monkeypatch.setattr(communication_sender, "ANSWER_SECONDS", 0.5)
    async with listening(found.app()) as port:
        account = CommunicationAccount(f"http://127.0.0.1:{port}", grid.KEY)
        yield found, CommunicationSender(account)


@pytest.fixture
def communication(service):
    found, through = service

    def one(taken):
        headers = {**taken["headers"], "Reply-To": taken["replyTo"][0]["address"]}
        return taken["recipients"]["to"][0]["address"], headers, taken["content"]["plainText"]

    return through, lambda: [one(taken) for taken in found.mails.values()]


def through_sweeps(monkeypatch, adapter_):
    """Let the sweep hand over by this adapter."""
    monkeypatch.setattr(sending, "sender", lambda: adapter_)
