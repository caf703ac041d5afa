"""A mail that Resend received is fetched once its notification is known to be right."""

import json

import pytest

from local.arm.servers import listening
from local.providers import resend as api
from local.providers.resend import Resend
from shared.followups.keyset import Part
from shared.followups.people import tasks
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.events.conftest import SECRET, signed


@pytest.fixture(autouse=True)
def _configured(crm, monkeypatch):
    monkeypatch.setenv("RESEND_WEBHOOK_SECRET", SECRET)
    forget_settings()


@pytest.fixture
async def receiving(monkeypatch):
    """The stand-in of Resend, which has received mails."""
    found = Resend()
    async with listening(found.app()) as port:
        monkeypatch.setenv("RESEND_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("RESEND_API_KEY", api.KEY)
        forget_settings()
        yield found


def mail(sent, **changed):
    fields = {
        "from": f"Ann <{sent['recipient']}>",
        "subject": "Re: your plans",
        "message_id": "<r1@example.com>",
        "text": "Yes, please.",
        "html": "<p>Yes, please.</p>",
        "headers": {"in-reply-to": f"<{sent['message_key']}@example.com>", "Content-Type": "text/plain"},
    }
    return {**fields, **changed}


def received_message(mail_id="in-1"):
    return json.dumps({"type": "email.received", "created_at": "x", "data": {"email_id": mail_id}}).encode()


@pytest.mark.parametrize("raw", [True, False])
async def test_a_mail_that_resend_received_is_fetched_and_ends_the_cadence(post, sent, receiving, raw):
    receiving.received["in-1"] = mail(sent)
    if raw:
        receiving.raw["in-1"] = (
            f"From: Ann <{sent['recipient']}>\r\nSubject: Re: your plans\r\nMessage-ID: <r1@example.com>\r\n"
            f"In-Reply-To: <{sent['message_key']}@example.com>\r\n\r\nYes, please.\r\n"
        ).encode()
    body = received_message()
    assert [(await post("resend", body, signed(body)))["result"] for _ in range(2)] == ["taken", "known"]
    [answer] = [one for one in await tasks.listed(sent["agent_id"], Part(limit=9)) if one.channel == "agent"]
    assert answer.notes == "Answer: Re: your plans"


async def test_nothing_is_fetched_before_the_signature_is_known_to_be_right(post, sent, receiving):
    receiving.received["in-1"] = mail(sent)
    await post("resend", received_message(), signed(received_message(), secret="whsec_d3Jvbmcgc2VjcmV0"), status=401)
    assert receiving.fetched == 0


async def test_an_automatic_answer_ends_nothing(post, sent, receiving):
    receiving.received["in-1"] = mail(sent, subject="Automatische Antwort: x")
    receiving.received["in-2"] = mail(sent, headers={"Auto-Submitted": "auto-replied"}, message_id="<r2@x>")
    for mail_id in ("in-1", "in-2"):
        body = received_message(mail_id)
        assert (await post("resend", body, signed(body)))["result"] == "ignored"


async def test_a_mail_that_resend_does_not_show_is_asked_for_again_later(post, receiving):
    body = received_message("unknown/../id")
    await post("resend", body, signed(body), status=503)
