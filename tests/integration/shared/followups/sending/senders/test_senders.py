"""What every sender must do: one hand-over for each attempt, the agent's Reply-To, and an outcome that is true."""

import asyncio
import json
import socket
import ssl
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any
from uuid import uuid4

import boto3
import pytest
import trustme
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID  # pyright: ignore[reportPrivateImportUsage] - as moto's own pages import it
from moto.ses.models import ses_backends

from activities.followups import sending
from local.arm.cloud import APP_CLIENT_ID, Cloud
from local.arm.servers import listening, serving
from local.providers import communication as grid
from local.providers import resend as resend_api
from local.providers.communication import Communication
from local.providers.resend import Resend
from local.smtp.sink import Rejection
from shared.followups.events import inbox
from shared.followups.events.providers import ses as ses_events
from shared.followups.keyset import Part
from shared.followups.reporting.health import scheduler_health
from shared.followups.sending import mails as listed
from shared.followups.sending.claims import WITH_LOOK_UP
from shared.followups.sending.message import Mail, waking_clock
from shared.followups.sending.senders import sender
from shared.followups.sending.senders.communication import CommunicationAccount, CommunicationSender
from shared.followups.sending.senders.resend import ResendSender
from shared.followups.sending.senders.ses import SesAccount, SesSender, _client
from shared.followups.sending.senders.smtp import SmtpSender
from shared.platform.credentials import credential
from shared.platform.errors import TerminalError
from tests.fresh_settings import forget_settings
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
async def resend():
    api = Resend()

    def received():
        return [(m["to"][0], {**m["headers"], "Reply-To": m["reply_to"]}, m["text"]) for m in api.mails.values()]

    async with listening(api.app()) as port:
        yield ResendSender(f"http://127.0.0.1:{port}", resend_api.KEY), received


@pytest.fixture
async def service():
    """The stand-in of Communication Services, and the adapter that speaks to it."""
    found = Communication()
    async with listening(found.app()) as port:
        account = CommunicationAccount(f"http://127.0.0.1:{port}", grid.KEY, answer_seconds=0.5)
        yield found, CommunicationSender(account)


@pytest.fixture
def communication(service):
    found, through = service

    def one(taken):
        headers = {**taken["headers"], "Reply-To": taken["replyTo"][0]["address"]}
        return taken["recipients"]["to"][0]["address"], headers, taken["content"]["plainText"]

    return through, lambda: [one(taken) for taken in found.mails.values()]


@pytest.fixture(params=["smtp", "ses", "resend", "communication"])
def adapter(request):
    return request.getfixturevalue(request.param)


async def test_a_mail_arrives_once_as_it_is_and_replies_go_to_the_agent(adapter):
    through, received = adapter
    outcome = await through.send(mail())
    assert (outcome.kind, outcome.provider) == ("accepted", through.name)
    [(recipient, headers, text)] = received()
    assert recipient == "ann@example.com"
    assert headers["Reply-To"].strip() == "alice@example.com"
    assert headers["List-Unsubscribe-Post"].strip() == "List-Unsubscribe=One-Click"
    assert headers["X-Auto-Response-Suppress"].strip() == "OOF, AutoReply"
    assert "\n.\n" in text.replace("\r\n", "\n")
    assert "1 Main Street" in text


async def test_to_ask_what_became_of_a_mail_hands_it_over_no_second_time(adapter):
    through, received = adapter
    sent = mail(sending_at=datetime.now(UTC))
    assert (await through.send(sent)).kind == "accepted"
    found = await through.find_out(sent)
    assert found is None or found.kind == "accepted"
    assert (found is not None or through.may_repeat(sent)) == (through.name in WITH_LOOK_UP)
    if through.may_repeat(sent):
        assert (await through.send(sent)).kind == "accepted"
    assert len(received()) == 1


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


async def test_a_mail_whose_worker_stood_still_for_minutes_is_not_handed_over(adapter):
    through, received = adapter
    outcome = await through.send(mail(deadline=waking_clock() - 1))
    assert (outcome.kind, outcome.code) == ("postponed", "too-late-to-begin")
    assert received() == []
    assert (await through.send(mail(deadline=waking_clock() + 60))).kind == "accepted"
    assert len(received()) == 1


async def test_a_mail_that_makes_no_message_is_refused_and_never_unknown(adapter):
    through, received = adapter
    outcome = await through.send(mail(reply_to="no address"))
    assert (outcome.kind, outcome.code) == ("refused", "unusable-message")
    assert received() == []


class Relay:
    """An SMTP relay that answers one command as it is told."""

    def __init__(self, command, answer):
        self.command, self.answer = command, answer

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return SmtpSender("127.0.0.1", self.server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().upper():
            writer.write(f"{self.answer}\r\n".encode() if line.startswith(self.command) else b"250 fine\r\n")
            await writer.drain()
        writer.close()


async def test_a_relay_that_keeps_a_worker_waiting_past_its_time_gets_no_whole_mail():
    """The last look is before the full stop, without which the relay has nothing."""
    given = bytearray()

    async def serve(reader, writer):
        await asyncio.sleep(0.5)
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            given.extend(line)
            writer.write(b"354 go on\r\n" if line.startswith(b"DATA") else b"250 fine\r\n")
            if line.startswith(b"DATA"):
                given.extend(await reader.read())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    through = SmtpSender("127.0.0.1", server.sockets[0].getsockname()[1])
    outcome = await through.send(mail(deadline=waking_clock() + 0.25))
    server.close()
    assert (outcome.kind, outcome.code) == ("postponed", "too-late-to-begin")
    assert b"\r\n.\r\n" not in given


@pytest.mark.parametrize(
    ("command", "answer", "kind", "any_mail"),
    [
        ("MAIL", "550 the sender is not known", "postponed", True),
        ("MAIL", "530 log in first", "postponed", True),
        ("MAIL", "451 busy", "postponed", True),
        ("RCPT", "421 closing", "postponed", True),
        ("RCPT", "535 log in again", "postponed", True),
        ("RCPT", "450 mailbox is busy", "postponed", False),
        ("RCPT", "550 no such mailbox", "refused", False),
        ("DATA", "554 no", "refused", False),
    ],
)
async def test_what_a_relay_says_of_us_is_no_word_on_the_mail(command, answer, kind, any_mail):
    async with Relay(command, answer) as through:
        outcome = await through.send(mail())
    assert (outcome.kind, outcome.any_mail) == (kind, any_mail), outcome


async def test_a_mailbox_that_smtp_does_not_know_is_refused(smtp, mails):
    mails.reject(Rejection(address="ann@example.com", code=550))
    outcome = await smtp[0].send(mail())
    assert (outcome.kind, outcome.code) == ("refused", "550")


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


async def test_an_answer_of_ses_past_the_time_out_is_one_request_and_unknown():
    async with StandIn() as stand_in:
        outcome = await SesSender(account(endpoint=stand_in.url, answer_seconds=0.5)).send(mail())
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


async def test_a_provider_that_nobody_reaches_took_nothing():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert (await SesSender(account(endpoint=f"http://127.0.0.1:{port}")).send(mail())).kind == "postponed"
    assert (await SmtpSender("127.0.0.1", port).send(mail())).kind == "postponed"
    assert (await ResendSender(f"http://127.0.0.1:{port}", "key").send(mail())).kind == "postponed"
    account_ = CommunicationAccount(f"http://127.0.0.1:{port}", grid.KEY)
    assert (await CommunicationSender(account_).send(mail())).kind == "postponed"
    assert present(await CommunicationSender(account_).find_out(mail())).kind == "unknown"


def through_sweeps(monkeypatch, adapter_):
    """Let the sweep hand over by this adapter."""
    monkeypatch.setattr(sending, "sender", lambda: adapter_)


async def test_a_mail_taken_with_503_is_one_mail_under_one_operation_id_over_all_sweeps(crm, service, monkeypatch):
    api, through = service
    through_sweeps(monkeypatch, through)
    api.faults, api.hidden = [503], True
    await crm.due(await crm.agent())
    assert (await crm.sweep()).unknown == 1
    await crm.pass_time(16)
    assert (await crm.sweep()).claimed == 0
    assert await crm.states() == {"sent": 1}
    await crm.pass_time(16)
    assert (await crm.sweep()).claimed == 0
    [key] = {row["message_key"] for row in await crm.fetch("select message_key from followups.emails")}
    assert (api.operation_ids, list(api.mails)) == ([str(key)] * 2, [str(key)])


async def test_a_held_answer_of_ses_is_one_request_and_its_event_or_a_person_settles_the_mail(crm, mails, monkeypatch):
    async with StandIn() as stand_in:
        through_sweeps(monkeypatch, SesSender(account(endpoint=stand_in.url, answer_seconds=0.5)))
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


async def test_one_operation_id_in_all_attempts_is_one_mail_though_the_answer_was_503(service):
    """The mail was taken and the answer was 503; where the look-up shows nothing yet, the same id is sent again."""
    api, through = service
    api.faults, api.hidden = [503], True
    sent = mail(sending_at=datetime.now(UTC))
    assert (await through.send(sent)).kind == "unknown"
    assert (api.operation_ids, api.look_ups) == ([str(sent.key)], 1)
    assert await through.find_out(sent) is None
    assert api.operation_ids == [str(sent.key)]
    assert (await through.send(sent)).kind == "accepted"
    assert api.operation_ids == [str(sent.key)] * 2
    assert list(api.mails) == [str(sent.key)]


@pytest.mark.parametrize("fault", [503, 500, 504, None])
async def test_an_answer_of_communication_services_that_is_lost_is_looked_up_and_not_sent_again(service, fault):
    api, through = service
    api.faults = [fault]
    sent = mail()
    outcome = await through.send(sent)
    assert (outcome.kind, outcome.provider_id) == ("accepted", str(sent.key))
    assert (api.operation_ids, list(api.mails), api.look_ups) == ([str(sent.key)], [str(sent.key)], 1)


@pytest.mark.parametrize(
    ("fault", "kind"), [(429, "postponed"), (400, "refused"), (401, "postponed"), (403, "postponed"), (201, "unknown")]
)
async def test_each_refusal_of_communication_services_is_one_request_and_its_meaning(service, fault, kind):
    api, through = service
    api.faults = [fault]
    assert (await through.send(mail())).kind == kind
    assert (len(api.operation_ids), api.mails) == (1, {})


async def test_an_operation_that_failed_is_a_refusal(service):
    api, through = service
    sent = mail(sending_at=datetime.now(UTC))
    await through.send(sent)
    api.statuses[str(sent.key)] = "Failed"
    found = await through.find_out(sent)
    assert (found.kind, found.code) == ("refused", "EmailDropped")


async def test_a_wrong_key_of_communication_services_waits_for_whoever_mends_it(service):
    api, through = service
    account = CommunicationAccount(through._account.endpoint, "d3Jvbmc=")
    assert (await CommunicationSender(account).send(mail())).code == "account-refused"
    assert api.mails == {}


async def test_without_a_key_communication_services_are_opened_with_the_apps_identity(tmp_path, monkeypatch, migrated):
    authority = trustme.CA()
    certificate, roots = tmp_path / "server.pem", tmp_path / "roots.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(roots))
    cloud, api = Cloud(), Communication()
    async with serving(cloud, tmp_path) as azure, listening(api.app(), certificate=certificate) as port:
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_CLIENT_ID"):
            monkeypatch.setenv(name, azure.environment[name])
        # aiohttp reads the roots that it trusts once a process.
        context = ssl.create_default_context(cafile=str(roots))
        monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", context)
        monkeypatch.setenv("FOLLOWUPS_PROVIDER", "communication")
        monkeypatch.setenv("COMMUNICATION_ENDPOINT", f"https://127.0.0.1:{port}")
        forget_settings()
        credential.cache_clear()
        try:
            first = await sender().send(mail())
            assert first.code == "account-refused", first
            api.token = cloud.token("https://communication.azure.com/", APP_CLIENT_ID)
            assert (await sender().send(mail())).kind == "accepted"
            monkeypatch.setenv("IDENTITY_HEADER", "wrong")
            await credential().close()
            credential.cache_clear()
            assert (await sender().send(mail())).kind == "postponed", "no token is no hand-over"
        finally:
            await credential().close()
            credential.cache_clear()
    assert len(api.mails) == 1


@pytest.mark.parametrize("provider", ["resend", "ses", "communication"])
async def test_a_provider_without_an_account_is_named(crm, monkeypatch, provider):
    monkeypatch.setenv("FOLLOWUPS_PROVIDER", provider)
    forget_settings()
    with pytest.raises(TerminalError, match="account is missing"):
        sender()
