"""Plain-text mail to people: one port, delivered by an SMTP relay or by Resend."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from shared.platform.calls.rate_limit import retry_after
from shared.platform.errors import TerminalError, TransientError
from shared.platform.settings import settings

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

SEND_SECONDS = 30
CONFLICT, TOO_MANY_REQUESTS, SMTP_REFUSED = 409, 429, 500


@dataclass(frozen=True, slots=True)
class Mail:
    """One message.

    Attributes:
        key: names the message; a provider that can will deliver one key only once.
    """

    sender: str
    to: str
    subject: str
    text: str
    key: str


class Mailer(Protocol):
    """Delivers a message or raises: TransientError if a later try may succeed, else TerminalError."""

    async def send(self, mail: Mail) -> None:
        """Hand the message over to the provider."""
        ...


def mailer() -> Mailer:
    """The provider that MAIL_PROVIDER names.

    Raises:
        TerminalError: there is none, or its key is not set.
    """
    if settings().mail_provider == "none":
        raise TerminalError(
            "Nobody delivers mail: MAIL_PROVIDER is none.",
            code="settings",
            remedy="Set MAIL_PROVIDER, and what the provider needs.",
        )
    if settings().mail_provider == "smtp":
        return SmtpMailer(settings().smtp_host, settings().smtp_port)
    key = settings().resend_api_key
    if not key:
        raise TerminalError(
            "MAIL_PROVIDER is resend, but its key is missing.", code="settings", remedy="Set RESEND_API_KEY."
        )
    return ResendMailer(settings().resend_endpoint, key.get_secret_value())


class SmtpMailer:
    """A relay that knows us by our address; speaks TLS when the relay offers it.

    SMTP has no idempotency: a repeated key is only recognisable to the reader's mail program, by its Message-ID.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def send(self, mail: Mail) -> None:
        """Hand over; raises as the port says."""
        try:
            await asyncio.to_thread(self._send, mail)
        except (smtplib.SMTPException, OSError) as error:
            raise self._failure(error) from error

    def _send(self, mail: Mail) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = mail.sender, mail.to, mail.subject
        message["Date"] = datetime.now(UTC)
        domain = mail.sender.rpartition("@")[2].rstrip(">")
        message["Message-ID"] = f"<{sha256(mail.key.encode()).hexdigest()[:32]}@{domain}>"
        message.set_content(mail.text)
        with smtplib.SMTP(self._host, self._port, timeout=SEND_SECONDS) as relay:
            relay.ehlo()
            if relay.has_extn("starttls"):
                relay.starttls(context=ssl.create_default_context())
            relay.send_message(message)

    def _failure(self, error: Exception) -> TransientError | TerminalError:
        where = f"The SMTP relay {self._host}:{self._port}"
        answers: list[tuple[int, bytes | str]] = []
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            answers.extend(error.recipients.values())
        elif isinstance(error, smtplib.SMTPResponseException):
            answers.append((error.smtp_code, error.smtp_error))
        if answers and all(code >= SMTP_REFUSED for code, _ in answers):
            reply = "; ".join(f"{code} {_text(text)}" for code, text in answers)
            return TerminalError(
                f"{where} refused the message: {reply[:300]}.",
                code="mail-refused",
                remedy="Check ALERT_EMAIL_TO and ALERT_EMAIL_FROM, and that the relay accepts mail from this app.",
            )
        return TransientError(
            f"{where} did not take the message: {type(error).__name__}: {str(error)[:300]}.",
            code="mail-unavailable",
            remedy="See that SMTP_HOST and SMTP_PORT name a relay that runs.",
        )


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply


class ResendMailer:
    """The Resend API. It remembers a key for 24 h and delivers it once."""

    def __init__(self, endpoint: str, api_key: str, transport: AsyncBaseTransport | None = None) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._api_key = api_key
        self._transport = transport

    async def send(self, mail: Mail) -> None:
        """Hand over; raises as the port says. A key that was delivered with another text counts as delivered."""
        from httpx import AsyncClient, HTTPError  # noqa: PLC0415 - loads in the activity that needs it

        try:
            async with AsyncClient(transport=self._transport, timeout=SEND_SECONDS) as client:
                answer = await client.post(
                    f"{self._endpoint}/emails",
                    headers={"Authorization": f"Bearer {self._api_key}", "Idempotency-Key": mail.key},
                    json={"from": mail.sender, "to": [mail.to], "subject": mail.subject, "text": mail.text},
                )
        except HTTPError as error:
            raise TransientError(f"Resend did not answer: {type(error).__name__}.", code="mail-unavailable") from error
        if answer.is_success or (answer.status_code == CONFLICT and "invalid_idempotent_request" in answer.text):
            return
        reply = f"Resend answered {answer.status_code}: {answer.text[:300]}"
        if answer.status_code in {CONFLICT, TOO_MANY_REQUESTS} or answer.is_server_error:
            raise TransientError(
                f"{reply}.", code="mail-unavailable", retry_after=retry_after(answer.headers.get("Retry-After"))
            )
        raise TerminalError(
            f"{reply}.",
            code="mail-refused",
            remedy="Check RESEND_API_KEY, and that the domain of ALERT_EMAIL_FROM is verified at Resend.",
        )
