"""An SMTP relay: what it says of the mail, and what it says of us."""

import asyncio

import pytest

from local.smtp.sink import Rejection
from shared.followups.sending.message import waking_clock
from shared.followups.sending.senders.smtp import SmtpSender
from tests.integration.shared.followups.sending.senders.conftest import mail


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
