"""Reads what Amazon SES publishes: events of mails that were sent, and mails that it received."""

from __future__ import annotations

import base64
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import from_json

from shared.followups.events import inbound
from shared.followups.events.inbound import Inbound
from shared.followups.events.models import EventKind, ProviderEvent
from shared.followups.people.models import LARGEST_ID
from shared.followups.sending.senders.base import TAG
from shared.platform.errors import InvalidInput

KINDS: dict[str, tuple[EventKind, str]] = {
    "Send": ("sent", "mail"),
    "Delivery": ("delivered", "delivery"),
    "DeliveryDelay": ("deferred", "deliveryDelay"),
    "Bounce": ("bounced", "bounce"),
    "Reject": ("bounced", "reject"),
    "Complaint": ("complained", "complaint"),
    "Open": ("opened", "open"),
    "Click": ("clicked", "click"),
}
SUPPRESSED_SUBTYPES = {"Suppressed", "OnAccountSuppressionList"}
"""Subtypes of a bounce of an address that SES itself does not write to; Resend, which sends through it, has them."""


def read(message: str, event_id: str) -> ProviderEvent | None:
    """The event in an SNS message; None if it is of a kind that we do not look at.

    Raises:
        InvalidInput: it is no event of SES.
    """
    try:
        event = cast("dict[str, Any]", from_json(message))
        kind_and_part = KINDS.get(event.get("eventType") or event.get("notificationType") or "")
        if kind_and_part is None:
            return None
        kind, part = kind_and_part
        details: dict[str, Any] = event.get(part) or {}
        transient = kind == "bounced" and details.get("bounceType", "Transient") != "Permanent" and part == "bounce"
        return ProviderEvent(
            provider="ses",
            event_id=event_id,
            email_id=_tagged(event["mail"].get("tags") or {}),
            provider_id=event["mail"].get("messageId"),
            kind="deferred" if transient else kind,
            permanent=kind == "bounced" and details.get("bounceType") == "Permanent",
            listed=details.get("bounceSubType") in SUPPRESSED_SUBTYPES,
            happened_at=details.get("timestamp") or event["mail"]["timestamp"],
            user_agent=str(details.get("userAgent", "")),
            ip=str(details.get("ipAddress", "")),
            detail=" ".join(str(details.get(name, "")) for name in ("bounceType", "bounceSubType", "reason")).strip(),
        )
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
        raise InvalidInput("The message is no event of SES.", field="Message") from None


def received(message: str) -> Inbound | None:
    """The mail that SES has received, as its SNS action tells; None if the message tells of something else.

    Raises:
        InvalidInput: the mail is not in it.
    """
    try:
        notification = cast("dict[str, Any]", from_json(message))
        if notification.get("notificationType") != "Received":
            return None
        content = str(notification["content"])
        encoded = notification["receipt"]["action"].get("encoding") == "BASE64"
        raw = base64.b64decode(content) if encoded else content.encode()
        return inbound.read(raw, str(notification["mail"].get("source", "")).replace("<>", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput("The message holds no received mail.", field="Message") from None


def _tagged(tags: dict[str, list[str]]) -> int | None:
    values = tags.get(TAG) or [""]
    return int(values[0]) if values[0].isdecimal() and int(values[0]) <= LARGEST_ID else None
