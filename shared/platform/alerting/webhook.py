"""Alerts to a chat: one JSON post to the incoming webhook that ALERT_WEBHOOK_URL names.

Slack, Mattermost, Rocket.Chat and Google Chat take {"text"}. The webhooks of Teams' Workflows take a message with an
adaptive card, and nothing else, so the address decides. Whoever knows the address can post: it is a secret.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.platform.calls.rate_limit import retry_after
from shared.platform.errors import TerminalError, TransientError
from shared.platform.redaction import redact

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

POST_SECONDS = 15
"""For the whole exchange, however slowly the answer drips in."""
LONGEST_TEXT = 6_000
"""Characters; Teams refuses messages of more than 28 KB."""
TOO_MANY_REQUESTS = 429
TEAMS_HOSTS = (".logic.azure.com", ".powerplatform.com", ".powerplatform.us", ".webhook.office.com")


async def post(url: str, subject: str, text: str, transport: AsyncBaseTransport | None = None) -> None:
    """Post the message.

    Raises:
        TransientError: no answer in time, too many messages, or a fault over there.
        TerminalError: the message or the address was refused.
    """
    from httpx import AsyncClient, HTTPError  # noqa: PLC0415 - loads in the activity that needs it

    for name in ("httpx", "httpcore"):  # they log addresses, and this one is a secret
        logging.getLogger(name).setLevel(logging.WARNING)
    host = urlsplit(url).hostname or ""
    try:
        async with asyncio.timeout(POST_SECONDS), AsyncClient(transport=transport, timeout=POST_SECONDS) as client:
            answer = await client.post(url, json=payload(host, subject, _cut(text)))
    except (HTTPError, TimeoutError) as error:
        # Without the cause: its text and its request hold the address.
        raise TransientError(
            f"The webhook at {host} did not answer: {type(error).__name__}.", code="webhook-unavailable"
        ) from None
    if answer.is_success:
        return
    reply = f"The webhook at {host} answered {answer.status_code}: {redact(answer.text[:200].replace(url, '***'))}"
    if answer.status_code == TOO_MANY_REQUESTS or answer.is_server_error:
        raise TransientError(
            f"{reply}.", code="webhook-unavailable", retry_after=retry_after(answer.headers.get("Retry-After"))
        )
    raise TerminalError(
        f"{reply}.", code="webhook-refused", remedy="Make a new incoming webhook and set ALERT_WEBHOOK_URL to its URL."
    )


def payload(host: str, subject: str, text: str) -> dict[str, Any]:
    """What the service behind that host takes. It shows the text as it is: no link, mention or format in it counts."""
    if host.endswith(TEAMS_HOSTS):
        body = [_paragraph(subject, weight="Bolder", size="Medium"), *map(_paragraph, filter(None, text.split("\n")))]
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": body,
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        return {"type": "message", "attachments": [attachment]}
    plain = f"{subject}\n{text}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": plain}


def _paragraph(text: str, **style: str) -> dict[str, Any]:
    # A TextBlock would read Markdown in what a supplier sent; runs of a RichTextBlock are plain.
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} … (cut; the log has all of it)"
