"""Resend is asked once a hand-over, and its answers mean what they say."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.followups.sending.message import Mail
from shared.followups.sending.senders.resend import ResendSender

NOW = datetime.now(UTC)


def mail(**changed):
    fields: dict[str, Any] = {
        "email_id": 5,
        "key": UUID(int=7),
        "sender_name": "Alice via Acme",
        "sender": "followups@example.com",
        "recipient_name": "Ann",
        "recipient": "ann@example.com",
        "reply_to": "alice@example.com",
        "subject": "A few words about your plans",
        "body": "Hello Ann,\n\nText.",
        "footer": "Alice\n1 Main Street",
        "date": NOW,
        "unsubscribe": "https://app.example.com/unsubscribe/1",
        **changed,
    }
    return Mail(**fields)


def sender(answer):
    requests = []

    def answered(request):
        requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ResendSender("https://resend.example", "secret", httpx.MockTransport(answered)), requests


async def test_the_request_has_the_mails_key_its_headers_and_a_tag():
    through, requests = sender(httpx.Response(200, json={"id": "abc"}))
    outcome = await through.send(mail())
    assert (outcome.kind, outcome.provider_id) == ("accepted", "abc")
    [request] = requests
    assert request.headers["Idempotency-Key"] == f"followup/{UUID(int=7)}"
    sent = json.loads(request.content)
    assert sent["reply_to"] == "alice@example.com"
    assert sent["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert sent["headers"]["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert sent["tags"] == [{"name": "followup", "value": "5"}]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(422, text="invalid"), "refused"),
        (httpx.Response(422, text='{"name": "invalid_from_address"}'), "postponed"),
        (httpx.Response(401, text="bad key"), "postponed"),
        (httpx.Response(403, text="The example.com domain is not verified"), "postponed"),
        (httpx.Response(429, text="slow down"), "postponed"),
        (httpx.Response(503, text="later"), "unknown"),
        (httpx.Response(409, text="concurrent_idempotent_requests"), "unknown"),
        (httpx.ConnectError("refused"), "postponed"),
        (httpx.ReadTimeout("no answer"), "unknown"),
        (httpx.RemoteProtocolError("closed"), "unknown"),
    ],
)
async def test_each_answer_is_one_request_and_its_meaning(answer, kind):
    through, requests = sender(answer)
    assert (await through.send(mail())).kind == kind
    assert len(requests) == 1


async def test_within_a_day_the_same_request_tells_what_became_of_a_mail():
    through, requests = sender(httpx.Response(200, json={"id": "abc"}))
    await through.send(mail())
    assert await through.find_out(mail(sending_at=NOW)) is None
    again = mail(sending_at=NOW - timedelta(hours=1))
    assert through.may_repeat(again)
    assert (await through.send(again)).kind == "accepted"
    assert requests[0].content == requests[1].content
    assert requests[0].headers["Idempotency-Key"] == requests[1].headers["Idempotency-Key"]
    assert not through.may_repeat(mail(sending_at=NOW - timedelta(hours=24)))
    assert len(requests) == 2
