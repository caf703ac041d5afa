"""Mail over SMTP, to the relay that stands in locally."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from local.smtp.sink import Rejection, Sink
from shared.platform.alerting.mail import Mail, SmtpMailer, mailer
from shared.platform.errors import TerminalError, TransientError

MAIL = Mail("manifold@example.com", "ops@example.com", "Größe: 2 carats", "Look here.\n", "alert/nivoda/2026-01-01")


async def test_a_mail_arrives_as_it_was_written(mails: Sink):
    await mailer().send(MAIL)
    (mail,) = mails.mails(10)
    assert (mail.sender, mail.recipients, mail.subject) == (MAIL.sender, [MAIL.to], MAIL.subject)
    assert mail.text.replace("\r\n", "\n") == MAIL.text
    assert abs(parsedate_to_datetime(mail.headers["Date"]) - mail.received) < timedelta(minutes=1)


async def test_a_repeated_key_is_recognisable_by_its_message_id(mails: Sink):
    await mailer().send(MAIL)
    await mailer().send(MAIL)
    first, second = (mail.headers["Message-ID"] for mail in mails.mails(10))
    assert first == second
    assert first.endswith("@example.com>")


async def test_a_recipient_refused_for_good_is_terminal(mails: Sink):
    mails.reject(Rejection(address=MAIL.to, code=550))
    with pytest.raises(TerminalError, match="No such user here") as raised:
        await mailer().send(MAIL)
    assert "ALERT_EMAIL_TO" in str(raised.value)


async def test_a_recipient_refused_for_now_is_transient(mails: Sink):
    mails.reject(Rejection(address=MAIL.to, code=451, times=1))
    with pytest.raises(TransientError):
        await mailer().send(MAIL)
    await mailer().send(MAIL)
    assert len(mails.mails(10)) == 1


async def test_no_relay_is_transient_and_names_the_address(unused_tcp_port: int):
    with pytest.raises(TransientError, match=f"127.0.0.1:{unused_tcp_port}"):
        await SmtpMailer("127.0.0.1", unused_tcp_port).send(MAIL)
