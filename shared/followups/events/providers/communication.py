"""Reads what Azure Communication Services tells by Event Grid, and knows Event Grid by its token.

Event Grid signs nothing. It shows a token of Entra ID for the application that FOLLOWUPS_EVENT_GRID_AUDIENCE names,
also when it asks whether the address wants its events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from pydantic import ValidationError

from shared.followups import id_tokens
from shared.followups.events.models import EventKind, ProviderEvent
from shared.followups.id_tokens import Issuer
from shared.followups.settings import settings
from shared.platform.errors import Forbidden, InvalidInput, Unauthenticated

if TYPE_CHECKING:
    from shared.platform.messaging.event_grid import GridEvent

AUTHORITY = "https://login.microsoftonline.com"
EVENT_GRID = "4962773b-9cdb-44cf-a8bf-237846a00ab7"
"""The application that is Event Grid itself, in every tenant of the public cloud."""
VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
DELIVERY = "Microsoft.Communication.EmailDeliveryReportReceived"
ENGAGEMENT = "Microsoft.Communication.EmailEngagementTrackingReportReceived"

STATUSES: dict[str, EventKind] = {
    "OutForDelivery": "sent",
    "Delivered": "delivered",
    "Expanded": "delivered",
    "Bounced": "bounced",
    "Suppressed": "bounced",
    "Failed": "bounced",
    "FilteredSpam": "bounced",
    "Quarantined": "bounced",
}
ENGAGEMENTS: dict[str, EventKind] = {"view": "opened", "click": "clicked"}


async def authenticate(authorization: str) -> None:
    """Let Event Grid in, and nobody else.

    Raises:
        Forbidden: no tenant and application are set.
        Unauthenticated: it is not Event Grid who calls.
        TransientError: Entra ID does not show its keys now.
    """
    tenant, audience = settings().followups_event_grid_tenant, settings().followups_event_grid_audience
    if not tenant or not audience:
        raise Forbidden(
            "This app takes no events of Event Grid.",
            code="webhook-not-configured",
            remedy="Set FOLLOWUPS_EVENT_GRID_TENANT and FOLLOWUPS_EVENT_GRID_AUDIENCE.",
        )
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Nothing says that Event Grid is calling.", remedy="Send Authorization: Bearer <token>.")
    names = (f"https://sts.windows.net/{tenant}/", f"{AUTHORITY}/{tenant}/v2.0")
    issuer = Issuer(f"{AUTHORITY}/{tenant}/discovery/v2.0/keys", names, audience)
    claims = await id_tokens.claims(token.strip(), issuer)
    if (claims.get("appid") or claims.get("azp")) != EVENT_GRID:
        raise Unauthenticated("The token is of another application than Event Grid.", code="bad-token")


def validation_code(events: list[GridEvent]) -> str | None:
    """What to answer to the question whether the address wants the events; None if it is not asked."""
    codes = [str(event.data.get("validationCode", "")) for event in events if event.event_type == VALIDATION]
    return codes[0][:200] if codes else None


def event_of(event: GridEvent) -> ProviderEvent | None:
    """What it says of a mail; None if it is of a kind that we do not look at.

    Raises:
        InvalidInput: it is no report of Communication Services.
    """
    if event.event_type == DELIVERY:
        status = str(event.data.get("status", ""))
        kind, happened = STATUSES.get(status), event.data.get("deliveryAttemptTimeStamp")
        detail = f"{status} {_details(event.data)}".strip()
    elif event.event_type == ENGAGEMENT:
        what = str(event.data.get("engagementType") or event.data.get("engagement") or "").lower()
        kind, happened = ENGAGEMENTS.get(what), event.data.get("userActionTimeStamp")
        detail, status = str(event.data.get("engagementContext") or ""), ""
    else:
        return None
    if kind is None:
        return None
    try:
        return ProviderEvent(
            provider="communication",
            event_id=event.id,
            key=_key(event.data.get("messageId")),
            kind=kind,
            permanent=status == "Bounced",
            listed=status == "Suppressed",
            happened_at=happened or event.event_time,
            user_agent=str(event.data.get("userAgent") or ""),
            detail=detail,
        )
    except ValidationError:
        raise InvalidInput("The event is no report of Communication Services.", field="data") from None


def _details(data: dict[str, Any]) -> str:
    details = data.get("deliveryStatusDetails")
    return str(cast("dict[str, Any]", details).get("statusMessage", "")) if isinstance(details, dict) else ""


def _key(message_id: Any) -> UUID | None:
    """Our Operation-Id, by which Communication Services names the mail; None of a mail that somebody else sent."""
    try:
        return UUID(str(message_id))
    except ValueError:
        return None
