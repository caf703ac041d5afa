"""Where a relay hands over the mail that came in for the app: the inbound half of SMTP."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.followups.events import arrivals, inbound
from shared.followups.people.models import LONGEST_ADDRESS
from shared.platform.access.auth import ADMIN
from shared.platform.http import Routes
from shared.platform.models import LazyModel

routes = Routes(tag="webhooks")
LARGEST_MAIL = 25_000_000
"""Bytes, as mailboxes have it: an answer with photos counts like any other."""


class Envelope(LazyModel, extra="forbid"):
    """What a sender gives the relay before the mail itself."""

    sender: str | None = Field(
        default=None, max_length=LONGEST_ADDRESS, description="Of MAIL FROM; empty for a notice of a mail server"
    )


class Arrived(LazyModel):
    """What was done with the mail."""

    result: Literal["taken", "known", "ignored"]


@routes.post(
    "/webhooks/mail",
    needs=ADMIN,
    summary="A mail that a relay received for the app",
    limit=LARGEST_MAIL,
)
async def followups_take_mail(query: Envelope, body: bytes) -> Arrived:
    """An answer ends the cadence and gives the agent a task; a notice of a mail server is an event of its mail."""
    return Arrived(result=await arrivals.receive(inbound.read(body, query.sender)))
