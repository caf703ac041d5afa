"""The message that is handed over, made of what is stored, the same in every attempt."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from html import escape
from typing import Any
from uuid import UUID

CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
LONGEST_NAME = 100
KEY = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""A mail's key: the left part of a Message-ID of ours."""


class _Policy(EmailPolicy):
    """Writes links in headers as they are: the library makes encoded words of a long one, which is no link any more.

    RFC 2047, section 5, allows no encoded word within them.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        """As the library, but a header with a link is one line."""
        if name == _LINK_HEADER:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_LINK_HEADER = "List-Unsubscribe"
_POLICY = _Policy(linesep="\r\n")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, ready to be handed over.

    Attributes:
        key: names it at the provider and in its Message-ID.
        date: of its header: when the first attempt began.
        sending_at: when an earlier attempt began that may have handed it over.
        deadline: by `waking_clock`, when its content must be on its way: later, others take its worker for dead.
        unsubscribe: the address that takes an unsubscription by one click; "" if the app has no public address.
    """

    email_id: int
    key: UUID
    sender_name: str
    sender: str
    recipient_name: str
    recipient: str
    reply_to: str
    subject: str
    body: str
    footer: str
    date: datetime
    unsubscribe: str = ""
    sending_at: datetime | None = None
    deadline: float | None = None

    @property
    def too_late(self) -> bool:
        """Whether it must not be handed over any more by who has it."""
        return self.deadline is not None and waking_clock() >= self.deadline

    @property
    def message_id(self) -> str:
        """Of its header, the same in every attempt."""
        return f"<{self.key}@{self.sender.rpartition('@')[2]}>"


def waking_clock() -> float:
    """Seconds by a clock that also goes on while the process is stopped and the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def mail_of(row: dict[str, Any]) -> Mail:
    """The mail in a row that `facts.read` gave, as it was written: later changes of names and settings do not count."""
    return Mail(
        email_id=row["id"],
        key=row["message_key"],
        sender_name=row["sender_name"] or "",
        sender=row["sender"],
        recipient_name=row["recipient_name"] or "",
        recipient=row["recipient"],
        reply_to=row["reply_to"],
        subject=row["subject"],
        body=row["body"],
        footer=row["footer"],
        date=row["first_sending_at"] or row["composed_at"],
        unsubscribe=unsubscribe_link(row["public_url"], row["unsubscribe_key"]),
        sending_at=row["sending_at"],
    )


def unsubscribe_link(public_url: str | None, key: UUID) -> str:
    """The page that unsubscribes from a mail's sender; "" if the app has no public address."""
    return f"{public_url}/unsubscribe/{key}" if public_url else ""


def sender_name(agent: str, company: str | None) -> str:
    """As clients see whom a mail is from."""
    return f"{agent} via {company}" if company else agent


def message_of(mail: Mail) -> EmailMessage:
    """The message with its headers; whatever the data holds, a header is one line."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(mail.sender_name, mail.sender)
    message["To"] = _address(mail.recipient_name, mail.recipient)
    message["Reply-To"] = _address("", mail.reply_to)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = mail.date
    message["Message-ID"] = mail.message_id
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if mail.unsubscribe:
        message[_LINK_HEADER] = f"<{mail.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    leave = f"\nUnsubscribe: {mail.unsubscribe}\n" if mail.unsubscribe else ""
    message.set_content(f"{mail.body}\n\n-- \n{mail.footer}\n{leave}")
    message.add_alternative(html_of(mail.body, mail.footer, mail.unsubscribe), subtype="html")
    return message


def headers_beside(message: EmailMessage) -> dict[str, str]:
    """The headers beside those that a provider's API makes of its own fields."""
    own = {"from", "to", "subject", "reply-to", "date", "mime-version", "content-type", "message-id"}
    return {name: str(value) for name, value in message.items() if name.lower() not in own}


def one_line(text: str) -> str:
    """The text without line breaks and control characters."""
    return CONTROLS.sub(" ", text).strip()


def _address(name: str, address: str) -> Address:
    return Address(display_name=one_line(name)[:LONGEST_NAME], addr_spec=one_line(address))


def html_of(body: str, footer: str, unsubscribe: str = "") -> str:
    """The text as HTML: paragraphs, and everything else as it is written."""
    paragraphs = "".join(f"<p>{_lines(part)}</p>\n" for part in re.split(r"\n\s*\n", body.strip()))
    leave = f'<br>\n<a href="{escape(unsubscribe)}">Unsubscribe</a>' if unsubscribe else ""
    return f"<html><body>\n{paragraphs}<hr>\n<p><small>{_lines(footer)}{leave}</small></p>\n</body></html>\n"


def _lines(text: str) -> str:
    return escape(text.strip()).replace("\n", "<br>\n")
