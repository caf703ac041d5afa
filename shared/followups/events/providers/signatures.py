"""Signatures of webhooks as Standard Webhooks and Svix have them: an HMAC over id, time and body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.followups.events.models import LONGEST_EVENT_ID
from shared.platform.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr


def verify(body: bytes, headers: Mapping[str, str], secret: SecretStr | None, setting: str) -> str:
    """The id of the event, which is the same whenever it is delivered again.

    Raises:
        Forbidden: `setting`, which holds the secret, is not set.
        Unauthenticated: whoever sent it does not know the secret, or sent it more than five minutes ago.
    """
    from standardwebhooks import Webhook, WebhookVerificationError  # noqa: PLC0415 - loads where it is needed

    if secret is None:
        raise Forbidden(
            "This app takes no such events: it has no secret to check them with.",
            code="webhook-not-configured",
            remedy=f"Set {setting}.",
        )
    # Svix, whom Resend signs with, has a prefix of its own and the same signature.
    names = {name.lower().replace("svix-", "webhook-", 1): value for name, value in headers.items()}
    try:
        Webhook(secret.get_secret_value()).verify(body, names, json_parse=False)
    except (WebhookVerificationError, ValueError):
        raise Unauthenticated("The signature is wrong, or too old.", code="bad-signature") from None
    event_id = names["webhook-id"]
    if len(event_id) > LONGEST_EVENT_ID:
        raise Unauthenticated("The event has no usable id.", code="bad-signature")
    return event_id
