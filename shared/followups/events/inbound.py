"""Reads mail that came in: an answer of a person, an answer of a machine, or a notice that a mail was not delivered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import parseaddr
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from shared.followups.events.notices import Notice, notice_of

if TYPE_CHECKING:
    from email.message import EmailMessage

LONGEST_BODY = 20_000
_AUTOMATIC_SUBJECT = re.compile(
    r"^\s*(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|automatische antwort"
    r"|abwesenheits(?:notiz|nachricht)|abwesend|r[ée]ponse automatique|risposta automatica|respuesta autom[áa]tica"
    r"|automatisch antwoord|autosvar)\b",
    re.IGNORECASE,
)
_ID = re.compile(r"<([^<>@\s]{1,200})@[^<>\s]{1,200}>")


@dataclass(frozen=True, slots=True)
class Inbound:
    """A mail that came in.

    Attributes:
        kind: who wrote it; a notice is from a mail server, about a mail that it could not deliver.
        answers: the left parts of the Message-IDs that it refers to, the nearest first.
        notice: what a mail server says about one of our mails, where it can be read.
    """

    kind: Literal["person", "automatic", "notice"]
    message_id: str
    sender: str
    subject: str
    body: str
    answers: tuple[str, ...]
    notice: Notice | None = None


def read(raw: bytes, envelope_sender: str | None = None) -> Inbound:
    """The mail. `envelope_sender` is "" for the null sender of notices, None where nobody knows it."""
    message = message_from_bytes(raw, policy=policy.default)
    references = f"{message.get('In-Reply-To', '')} {' '.join(reversed(str(message.get('References', '')).split()))}"
    kind = _kind(message, envelope_sender)
    return Inbound(
        kind=kind,
        message_id=str(message.get("Message-ID", "")).strip()[:500] or sha256(raw).hexdigest(),
        sender=parseaddr(str(message.get("From", "")))[1].lower()[:254],
        subject=_plain(str(message.get("Subject", "")))[:500],
        body=_plain(_text(message))[:LONGEST_BODY],
        answers=tuple(dict.fromkeys(_ID.findall(references))),
        notice=notice_of(message) if kind == "notice" else None,
    )


def _kind(message: EmailMessage, envelope_sender: str | None) -> Literal["person", "automatic", "notice"]:
    if envelope_sender == "" or message.get_content_type() == "multipart/report":
        return "notice"
    if str(message.get("Return-Path", "")).strip() == "<>":
        return "notice"
    submitted = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    precedence = str(message.get("Precedence", "")).strip().lower()
    named = any(message.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From-Address"))
    if submitted != "no" or precedence in ("auto_reply", "bulk", "junk") or named:
        return "automatic"
    return "automatic" if _AUTOMATIC_SUBJECT.search(str(message.get("Subject", ""))) else "person"


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        text = str(part.get_content())
    except (LookupError, UnicodeError, KeyError):
        return ""
    return re.sub(r"<[^>]*>", " ", text) if part.get_content_subtype() == "html" else text


def _plain(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()
