"""Fetches a mail that Resend has received: its webhook tells of it by an id alone."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import Field, ValidationError

from shared.followups.events import inbound
from shared.platform.errors import TransientError
from shared.platform.models import LazyModel

if TYPE_CHECKING:
    from httpx import AsyncClient

FETCH_SECONDS = 20
LARGEST = 4_000_000
NOT_KEPT = {"content-type", "content-transfer-encoding", "mime-version", "from", "subject", "message-id"}


class RawMail(LazyModel):
    """Where the mail is as it came."""

    download_url: str


class ReceivedMail(LazyModel):
    """What Resend shows of it."""

    sender: str = Field(alias="from")
    subject: str | None = None
    message_id: str | None = None
    text: str | None = None
    html: str | None = None
    headers: dict[str, str] | None = None
    raw: RawMail | None = None


async def fetch(email_id: str, endpoint: str, api_key: str) -> inbound.Inbound:
    """The mail.

    Raises:
        TransientError: Resend does not show it now.
    """
    from httpx import AsyncClient, HTTPError, InvalidURL  # noqa: PLC0415 - loads where it is needed

    url = f"{endpoint.rstrip('/')}/emails/receiving/{quote(email_id, safe='')}"
    try:
        async with AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as client:
            answer = await client.get(url, headers={"Authorization": f"Bearer {api_key}"})
            answer.raise_for_status()
            mail = ReceivedMail.model_validate_json(answer.content)
            return inbound.read(await _as_it_came(client, mail, endpoint) or _rebuilt(mail))
    except (HTTPError, InvalidURL, ValidationError) as error:
        raise TransientError(
            f"Resend does not show the mail that it received: {type(error).__name__}.", code="resend-unavailable"
        ) from error


async def _as_it_came(client: AsyncClient, mail: ReceivedMail, endpoint: str) -> bytes:
    """The mail; b"" if it is not to be had, or too large: its text is known as well."""
    if mail.raw is None or not mail.raw.download_url.startswith(("https://", endpoint)):
        return b""
    async with client.stream("GET", mail.raw.download_url) as answer:
        if not answer.is_success:
            return b""
        content = bytearray()
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > LARGEST:
                return b""
    return bytes(content)


def _rebuilt(mail: ReceivedMail) -> bytes:
    message = EmailMessage(policy=SMTP)
    headers = {name: value for name, value in (mail.headers or {}).items() if name.lower() not in NOT_KEPT}
    headers |= {"From": mail.sender, "Subject": mail.subject or "", "Message-ID": mail.message_id or ""}
    for name, value in headers.items():
        del message[name]
        message[name] = " ".join(value.split())
    message.set_content(mail.text or mail.html or "", subtype="plain" if mail.text else "html")
    return message.as_bytes()
