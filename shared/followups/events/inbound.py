"""Reads mail that came in: an answer of a person, an answer of a machine, or a notice that a mail was not delivered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from shared.followups.events.notices import Notice, notice_of
from shared.followups.people.models import LONGEST_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable

G = TypeVar("G")
R = TypeVar("R")

LONGEST_BODY = 20_000
_AUTOMATIC_SUBJECT = re.compile(
    r"^\s*(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|automatische antwort"
    r"|abwesenheits(?:notiz|nachricht)|abwesend|r[ée]ponse automatique|risposta automatica|respuesta autom[áa]tica"
    r"|automatisch antwoord|afwezig|autosvar|automatisk svar|automaattinen vastaus|odpowied[źz] automatyczna"
    r"|resposta autom[áa]tica|abwesenheit|absence)\b",
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
    """The mail. `envelope_sender` is "" for the null sender of notices, None where nobody knows it.

    Whatever it is, it is read as far as it can be: what a stranger wrote into a header keeps no answer out.
    """
    message = _read(raw, _parsed, None) or cast("EmailMessage", message_from_bytes(raw, policy=policy.compat32))
    headers = _headers(message)
    references = f"{headers.get('in-reply-to', '')} {' '.join(reversed(headers.get('references', '').split()))}"
    subject = _read(headers.get("subject", ""), _decoded, headers.get("subject", ""))
    kind = _kind(message, headers, subject, envelope_sender)
    return Inbound(
        kind=kind,
        message_id=headers.get("message-id", "").strip()[:500] or sha256(raw).hexdigest(),
        sender=parseaddr(headers.get("from", ""))[1].lower()[:LONGEST_ADDRESS],
        subject=subject[:500],
        body=_plain(_read(message, _text, ""))[:LONGEST_BODY],
        answers=tuple(dict.fromkeys(_ID.findall(references))),
        notice=_read(message, notice_of, None) if kind == "notice" else None,
    )


def _parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def _headers(message: EmailMessage) -> dict[str, str]:
    """The first of each header by its name in small letters. Encoded words stay: an address is told from them first."""
    headers: dict[str, str] = {}
    for name, value in message.raw_items():
        headers.setdefault(name.lower(), " ".join(_plain(_eight_bit(str(value))).split()))
    return headers


def _eight_bit(text: str) -> str:
    """The text of a header that was written without encoded words, as UTF-8 or else as old programs do."""
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _decoded(text: str) -> str:
    return _plain(str(make_header(decode_header(text))))


def _read(message: G, reader: Callable[[G], R], otherwise: R) -> R:
    """What the reader makes of it. The library's parsers fail in many ways on what no mail program writes."""
    try:
        return reader(message)
    except Exception:  # noqa: BLE001 - as above
        return otherwise


def _kind(
    message: EmailMessage, headers: dict[str, str], subject: str, envelope_sender: str | None
) -> Literal["person", "automatic", "notice"]:
    if envelope_sender == "" or _read(message, EmailMessage.get_content_type, "") == "multipart/report":
        return "notice"
    if headers.get("return-path", "").strip() == "<>":
        return "notice"
    submitted = headers.get("auto-submitted", "no").split(";")[0].strip().lower()
    precedence = headers.get("precedence", "").strip().lower()
    named = any(headers.get(name) for name in ("x-autoreply", "x-autorespond", "x-auto-reply-from-address"))
    if submitted != "no" or precedence in ("auto_reply", "bulk", "junk") or named:
        return "automatic"
    return "automatic" if _AUTOMATIC_SUBJECT.search(subject) else "person"


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    text = str(part.get_content())
    return re.sub(r"<[^>]*>", " ", text) if part.get_content_subtype() == "html" else text


def _plain(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()
