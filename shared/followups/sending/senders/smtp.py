"""An SMTP relay that knows us by our address; speaks TLS when the relay offers it.

SMTP can say afterwards nothing about a mail, so that an answer which was lost leaves a mail that a person must judge.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl
from typing import TYPE_CHECKING, Literal

from shared.followups.sending.message import message_of
from shared.followups.sending.senders.base import (
    account_refused,
    outcome,
    ready,
    throttled,
    too_late,
)
from shared.followups.steps import Outcome

if TYPE_CHECKING:
    from shared.followups.sending.message import Mail

ANSWER_SECONDS = 20
ACCEPTED, REFUSED = 250, 500
POSITIVE, NEGATIVE = range(200, 300), range(400, 600)
GO_ON = (ACCEPTED, 251, 354)
CLOSING = 421
_OF_US = re.compile(r"\b5\.7\.\d+\b.*\b(?:relay|block)", re.IGNORECASE)
"""A refusal of a recipient that is about the sender: it may not relay, or its address is on a list."""
LOGIN_WANTED = (530, 535, 538)


class SmtpSender:
    """Hands over to one relay; each mail has a connection of its own."""

    name = "smtp"

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def send(self, mail: Mail) -> Outcome:
        """As the port says."""
        return await asyncio.to_thread(self._send, mail)

    async def find_out(self, mail: Mail) -> Outcome | None:  # noqa: ARG002 - as the port says
        """A relay remembers no mails: a person has to look."""
        return None

    def may_repeat(self, mail: Mail) -> bool:  # noqa: ARG002 - as the port says
        """Never: a second request would be a second mail."""
        return False

    def _send(self, mail: Mail) -> Outcome:
        content = ready(self.name, mail, lambda mail: message_of(mail).as_bytes())
        if isinstance(content, Outcome):
            return content
        try:
            relay = smtplib.SMTP(self._host, self._port, timeout=ANSWER_SECONDS)
        except (OSError, smtplib.SMTPException) as error:
            return self._outcome("postponed", "relay-unreachable", f"{type(error).__name__}: {error}")
        try:
            return self._talk(relay, mail, content)
        finally:
            relay.close()

    def _talk(self, relay: smtplib.SMTP, mail: Mail, content: bytes) -> Outcome:
        try:
            relay.ehlo_or_helo_if_needed()
            if relay.has_extn("starttls"):
                relay.starttls(context=ssl.create_default_context())
                relay.ehlo()
            commands = (f"MAIL FROM:<{mail.sender}>", f"RCPT TO:<{mail.recipient}>", "DATA")
            for command in commands:
                code, text = relay.docmd(command)
                if code not in GO_ON:
                    return self._answered(code, text, of_sender=command == commands[0])
        except (OSError, smtplib.SMTPException) as error:
            return self._outcome("postponed", "relay-failed", f"{type(error).__name__}: {error}")
        except ValueError as error:
            return self._outcome("refused", "unusable-message", str(error))
        return self._content(relay, mail, content)

    def _content(self, relay: smtplib.SMTP, mail: Mail, content: bytes) -> Outcome:
        try:
            # From here on the relay may have taken the mail, whatever happens to the connection.
            relay.send(re.sub(rb"(?m)^\.", b"..", content).rstrip(b"\r\n") + b"\r\n")
            if mail.too_late:  # without the full stop that follows, the relay has no mail
                return too_late(self.name)
            relay.send(b".\r\n")
            code, text = relay.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return self._outcome("unknown", "answer-lost", f"{type(error).__name__}: {error}")
        if code in POSITIVE:
            return self._answered(ACCEPTED, text)
        if code not in NEGATIVE:
            return self._outcome("unknown", str(code), f"{code} {text.decode(errors='replace')}")
        return self._answered(code, text)

    def _answered(self, code: int, text: bytes, *, of_sender: bool = False) -> Outcome:
        """`of_sender`: what the relay answers to the sender's address is about us, whoever is written to."""
        reply = f"{code} {text.decode(errors='replace')}"
        if code == ACCEPTED:
            return Outcome(kind="accepted", provider=self.name, provider_id=reply[:200])
        if code == CLOSING or (of_sender and code < REFUSED):
            return throttled(self.name, str(code), reply)
        if of_sender or code in LOGIN_WANTED or _OF_US.search(reply):
            return account_refused(self.name, reply)
        # Not every relay that refuses knows whether a later try may succeed: 4xx says so, all else does not.
        return self._outcome("refused" if code >= REFUSED else "postponed", str(code), reply)

    def _outcome(self, kind: Literal["refused", "postponed", "unknown"], code: str, text: str) -> Outcome:
        return outcome(self.name, kind, code, text)
