"""What every sender must do: one hand-over for each attempt, the agent's Reply-To, and an outcome that is true."""

import socket
from datetime import UTC, datetime

import pytest

from local.arm.servers import listening
from local.providers import communication as grid
from local.providers import resend as resend_api
from local.providers.resend import Resend
from shared.followups.sending.claims import WITH_LOOK_UP
from shared.followups.sending.message import waking_clock
from shared.followups.sending.senders import sender
from shared.followups.sending.senders.communication import CommunicationAccount, CommunicationSender
from shared.followups.sending.senders.resend import ResendSender
from shared.followups.sending.senders.ses import SesSender
from shared.followups.sending.senders.smtp import SmtpSender
from shared.platform.errors import TerminalError
from tests.fresh_settings import forget_settings
from tests.integration.shared.followups.sending.senders.conftest import account, mail
from tests.present import present


@pytest.fixture
async def resend():
    api = Resend()

    def received():
        return [(m["to"][0], {**m["headers"], "Reply-To": m["reply_to"]}, m["text"]) for m in api.mails.values()]

    async with listening(api.app()) as port:
        yield ResendSender(f"http://127.0.0.1:{port}", resend_api.KEY), received


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


async def test_a_provider_that_nobody_reaches_took_nothing():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert (await SesSender(account(endpoint=f"http://127.0.0.1:{port}")).send(mail())).kind == "postponed"
    assert (await SmtpSender("127.0.0.1", port).send(mail())).kind == "postponed"
    assert (await ResendSender(f"http://127.0.0.1:{port}", "key").send(mail())).kind == "postponed"
    account_ = CommunicationAccount(f"http://127.0.0.1:{port}", grid.KEY)
    assert (await CommunicationSender(account_).send(mail())).kind == "postponed"
    assert present(await CommunicationSender(account_).find_out(mail())).kind == "unknown"


@pytest.mark.parametrize("provider", ["resend", "ses", "communication"])
async def test_a_provider_without_an_account_is_named(crm, monkeypatch, provider):
    monkeypatch.setenv("FOLLOWUPS_PROVIDER", provider)
    forget_settings()
    with pytest.raises(TerminalError, match="account is missing"):
        sender()
