"""Amazon SES: one request for each attempt, and what each of its answers means."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from shared.followups.events import inbox
from shared.followups.events.providers import ses as ses_events
from shared.followups.keyset import Part
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import mails as listed
from shared.followups.sending.senders import ses
from shared.followups.sending.senders.ses import SesSender, _client
from tests.integration.shared.followups.sending.senders.conftest import account, mail, through_sweeps
from tests.present import present


async def test_a_sender_that_ses_does_not_know_waits_for_whoever_mends_it(ses):
    through, received = ses
    outcome = await through.send(mail(sender="stranger@elsewhere.example"))
    assert (outcome.kind, outcome.code, outcome.any_mail) == ("postponed", "account-refused", True)
    assert "MessageRejected" in outcome.text
    assert received() == []


async def test_ses_is_given_the_bare_address_of_the_sender(ses, monkeypatch):
    asked = []
    client = _client(account())
    send = client.send_email
    monkeypatch.setattr(client, "send_email", lambda **request: asked.append(request) or send(**request))
    through, _ = ses
    assert (await through.send(mail(sender_name="J\u00fcrgen via S\u00f6hne"))).kind == "accepted"
    assert asked[0]["FromEmailAddress"] == "followups@example.com"


class StandIn:
    """Counts requests; answers each with the status, or holds the answer back."""

    def __init__(self, status=None, error="Error"):
        self.requests, self.status, self.error = [], status, error

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        self.requests.append(await reader.readexactly(int(length.split(b":")[1])))
        if self.status is None:
            await asyncio.sleep(3)
        else:
            body = b'{"message": "stand-in"}'
            kind = f"x-amzn-ErrorType: {self.error}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(f"HTTP/1.1 {self.status} X\r\n{kind}".encode() + body)
        writer.close()


async def test_an_answer_of_ses_past_the_time_out_is_one_request_and_unknown(monkeypatch):
    monkeypatch.setattr(ses, "ANSWER_SECONDS", 0.5)
    async with StandIn() as stand_in:
        outcome = await SesSender(account(endpoint=stand_in.url)).send(mail())
        assert outcome.kind == "unknown"
        assert len(stand_in.requests) == 1
        assert b'"followup"' in stand_in.requests[0]
        assert b'"5"' in stand_in.requests[0]


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (503, "ServiceUnavailable", "unknown"),
        (500, "InternalFailure", "unknown"),
        (429, "TooManyRequestsException", "postponed"),
        (429, "Busy", "postponed"),
        (400, "MailFromDomainNotVerifiedException", "postponed"),
        (400, "AccountSuspendedException", "postponed"),
        (400, "SendingPausedException", "postponed"),
        (403, "SignatureDoesNotMatch", "postponed"),
        (400, "BadRequestException", "refused"),
    ],
)
async def test_each_error_of_ses_is_one_request_and_its_meaning(status, error, kind):
    async with StandIn(status, error) as stand_in:
        assert (await SesSender(account(endpoint=stand_in.url)).send(mail())).kind == kind
        assert len(stand_in.requests) == 1


async def test_a_held_answer_of_ses_is_one_request_and_its_event_or_a_person_settles_the_mail(crm, mails, monkeypatch):
    monkeypatch.setattr(ses, "ANSWER_SECONDS", 0.5)
    async with StandIn() as stand_in:
        through_sweeps(monkeypatch, SesSender(account(endpoint=stand_in.url)))
        await crm.due(await crm.agent(), 2)
        assert (await crm.sweep()).unknown == 2
        first, second = (row["id"] for row in await crm.fetch("select id from followups.emails order by id"))
        tagged = json.dumps({
            "eventType": "Send", "send": {},
            "mail": {"timestamp": datetime.now(UTC).isoformat(), "tags": {"followup": [str(first)]}},
        })  # fmt: skip
        assert await inbox.record_event(present(ses_events.read(tagged, "event-1")))
        assert await crm.states() == {"sent": 1, "unknown": 1}
        for _ in range(3):
            await crm.pass_time(16)
            assert (await crm.sweep()).claimed == 0
        assert len(stand_in.requests) == 2
    assert (await scheduler_health()).unknown == 1
    [mail_] = await unknown_mails(crm)
    assert (mail_.id, mail_.state) == (second, "unknown")


async def unknown_mails(crm):
    """What the agent sees of mails that nobody knows about."""
    [agent] = await crm.fetch("select id from followups.agents")
    return await listed.listed(agent["id"], Part(limit=9), listed.EmailFilter(state="unknown"))
