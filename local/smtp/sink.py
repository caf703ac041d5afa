"""What happens to a mail here: it is kept in a folder as an .eml file, or its recipient is refused."""

import asyncio
import email
import email.policy
import os
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import BaseModel, ConfigDict, Field

from local.host.core.folders import private_folder
from local.smtp.inbound import Inbound

MAX_MAIL = 10 << 20
_POLICY = email.policy.SMTP.clone(refold_source="none")
_SENDER, _RECIPIENT = "X-Envelope-From", "X-Envelope-To"


class Rejection(BaseModel):
    """An answer to RCPT TO instead of 250; `address` "*" means any, `times` 0 means always."""

    model_config = ConfigDict(extra="forbid")

    address: str
    code: int = Field(default=550, ge=400, le=599)
    times: int = Field(default=0, ge=0)

    @property
    def reply(self) -> str:
        permanent = str(self.code).startswith("5")
        return f"{self.code} 5.1.1 No such user here" if permanent else f"{self.code} 4.7.1 Try again later"


class LostAnswers(BaseModel):
    """Of so many mails the last is kept, and its connection cut in place of the answer; 0: of none."""

    model_config = ConfigDict(extra="forbid")

    every: int = Field(default=0, ge=0)


class Mail(BaseModel):
    """A mail as it arrived; `sender` and `recipients` are the envelope's."""

    id: str
    sender: str
    recipients: list[str]
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    received: datetime


class Sink:
    """The handler that aiosmtpd calls; it holds the folder and the rejections."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rejections: dict[str, Rejection] = {}
        self.lost_answers = LostAnswers()
        self.inbound: Inbound | None = None
        self._since_lost = 0
        private_folder(folder)

    def reject(self, rejection: Rejection) -> None:
        """Refuse an address from now on, in place of an earlier rejection of it."""
        self.rejections[rejection.address.lower()] = rejection

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds handlers by the name of the command
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        for key in (address.lower(), "*"):
            if rejection := self.rejections.get(key):
                if rejection.times == 1:
                    del self.rejections[key]
                elif rejection.times:
                    self.rejections[key] = rejection.model_copy(update={"times": rejection.times - 1})
                return rejection.reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - see above
        content = cast("bytes", envelope.content)
        app = self.inbound if self.inbound and self.inbound.takes(envelope.rcpt_tos) else None
        if app and not await app.hand_over(envelope.mail_from or "", content):
            return "451 4.3.0 The app does not take mails now"
        name = await asyncio.to_thread(self.keep, envelope, content)
        self._since_lost += 1
        if 0 < self.lost_answers.every <= self._since_lost:
            self._since_lost = 0
            assert server.transport is not None, "a mail came over it"
            server.transport.close()
        return f"250 2.0.0 OK: queued as {name}"

    def keep(self, envelope: Envelope, content: bytes) -> str:
        """Write the mail under a name that sorts by arrival, all at once, so that no reader sees half of it."""
        received = datetime.now(UTC)
        name = f"{received:%Y%m%dT%H%M%S.%f}-{os.urandom(2).hex()}"
        recipients = ", ".join(envelope.rcpt_tos)
        head = f"{_SENDER}: {envelope.mail_from}\r\n{_RECIPIENT}: {recipients}\r\n"
        unfinished = self.folder / f"{name}.part"
        unfinished.write_bytes(head.encode() + content)
        unfinished.rename(self.folder / f"{name}.eml")
        return name

    def mails(self, limit: int) -> list[Mail]:
        """The newest mails, oldest of them first, also those of earlier runs."""
        return [_read(path) for path in sorted(self.folder.glob("*.eml"))[-limit:]]

    def clear(self) -> None:
        """Throw all mails away."""
        for path in self.folder.glob("*.eml"):
            path.unlink()


def _read(path: Path) -> Mail:
    try:
        return _parsed(path)
    except Exception:  # noqa: BLE001 - the library fails in many ways on what no mail program writes; others are shown
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.compat32)
        return Mail(
            id=path.stem,
            sender=str(message[_SENDER]),
            recipients=str(message[_RECIPIENT]).split(", "),
            subject="(cannot be read)",
            text=path.read_bytes().decode("utf-8", "replace"),
            html="",
            headers={},
            received=_received(path),
        )


def _received(path: Path) -> datetime:
    return datetime.strptime(path.stem[:22], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)


def _parsed(path: Path) -> Mail:
    message = email.message_from_bytes(path.read_bytes(), policy=_POLICY)
    return Mail(
        id=path.stem,
        sender=str(message[_SENDER]),
        recipients=str(message[_RECIPIENT]).split(", "),
        subject=str(message["Subject"] or ""),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        headers={name: str(value) for name, value in message.items() if name not in {_SENDER, _RECIPIENT}},
        received=_received(path),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""
