"""Reads what Resend tells by its webhooks: events of mails that were sent, and that a mail was received."""

from __future__ import annotations

from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import from_json

from shared.followups.events.models import EventKind, ProviderEvent
from shared.followups.events.providers.ses import SUPPRESSED_SUBTYPES
from shared.followups.people.models import LARGEST_ID
from shared.followups.sending.senders.base import TAG
from shared.platform.errors import InvalidInput

KINDS: dict[str, EventKind] = {
    "email.sent": "sent",
    "email.delivery_delayed": "deferred",
    "email.delivered": "delivered",
    "email.bounced": "bounced",
    "email.failed": "bounced",
    "email.suppressed": "bounced",
    "email.complained": "complained",
    "email.opened": "opened",
    "email.clicked": "clicked",
}
PARTS = {"email.bounced": "bounce", "email.failed": "failed", "email.suppressed": "suppressed"}
RECEIVED = "email.received"


def read(body: bytes, event_id: str) -> ProviderEvent | str | None:
    """The event; of a mail that was received, its id at Resend; None if it is of a kind that we do not look at.

    Raises:
        InvalidInput: it is no event of Resend.
    """
    try:
        event = cast("dict[str, Any]", from_json(body))
        name, data = event["type"], cast("dict[str, Any]", event["data"])
        if name == RECEIVED:
            return str(data["email_id"])[:200]
        if name not in KINDS:
            return None
        details: dict[str, Any] = data.get(PARTS.get(name, KINDS[name].removesuffix("ed"))) or data.get("click") or {}
        transient = name == "email.bounced" and details.get("type") == "Transient"
        return ProviderEvent(
            provider="resend",
            event_id=event_id,
            email_id=_tagged(data.get("tags")),
            provider_id=data.get("email_id"),
            kind="deferred" if transient else KINDS[name],
            permanent=name == "email.bounced" and details.get("type") == "Permanent",
            listed=name == "email.suppressed" or details.get("subType") in SUPPRESSED_SUBTYPES,
            happened_at=details.get("timestamp") or event["created_at"],
            user_agent=str(details.get("userAgent", "")),
            ip=str(details.get("ipAddress", "")),
            detail=" ".join(str(details.get(name, "")) for name in ("type", "subType", "message", "reason")).strip(),
        )
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
        raise InvalidInput("The body is no event of Resend.", field="body") from None


def _tagged(tags: object) -> int | None:
    """Our number among a mail's tags, which come as an object, or as a list of names and values."""
    listed = cast("list[dict[str, str]]", tags) if isinstance(tags, list) else []
    values = {tag["name"]: tag["value"] for tag in listed} or cast("dict[str, str]", tags or {})
    value = str(values.get(TAG, ""))
    return int(value) if value.isdecimal() and int(value) <= LARGEST_ID else None
