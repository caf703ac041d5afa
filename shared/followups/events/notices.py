"""Reads delivery status notifications (RFC 3464): what a mail server says about a mail that it was given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_string, policy
from email.message import Message
from typing import TYPE_CHECKING, Any, Literal, cast

from shared.followups.sending.message import KEY
from shared.followups.sending.settling import BAD_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

_KEY = re.compile(f"<({KEY})@")
_KINDS: dict[str, Literal["bounced", "deferred", "delivered"]] = {
    "failed": "bounced",
    "delayed": "deferred",
    "delivered": "delivered",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of one mail.

    Attributes:
        message_key: of the mail's Message-ID.
        permanent: there is no such mailbox.
    """

    message_key: str
    kind: Literal["bounced", "deferred", "delivered"]
    permanent: bool
    detail: str


def notice_of(message: EmailMessage) -> Notice | None:
    """The notice in a mail; None if it names none of our mails, or says nothing that we look at."""
    fields = {name.lower(): str(value) for part in _status(message) for name, value in part.items()}
    key = next((match[1] for text in _returned(message) if (match := _KEY.search(text))), None)
    kind = _KINDS.get(fields.get("action", "").strip().lower())
    if key is None or kind is None:
        return None
    detail = " ".join(filter(None, (fields.get("status", ""), fields.get("diagnostic-code", ""))))
    permanent = kind == "bounced" and bool(BAD_ADDRESS.search(detail))
    return Notice(key, kind, permanent, " ".join(detail.split())[:500])


def _status(message: EmailMessage) -> Iterator[Message[Any, Any]]:
    """The groups of fields of the report: of the mail, then of each recipient."""
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            groups = cast("Any", part.get_payload())
            yield from (group for group in groups if isinstance(group, Message))


def _returned(message: EmailMessage) -> Iterator[str]:
    """The Message-ID of what is sent back with the report: the mail itself, or its headers."""
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            inner = cast("Any", part.get_payload())[0]
            yield str(inner.get("Message-ID", ""))
        elif part.get_content_type() == "text/rfc822-headers":
            headers = message_from_string(str(part.get_content()), policy=policy.default)
            yield str(headers.get("Message-ID", ""))
