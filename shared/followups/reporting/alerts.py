"""The mails of the follow-ups to operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.platform.alerts import AlertKind, try_to_send

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SHOWN = 20

HAND_OVER_UNKNOWN = AlertKind(
    "hand-over-unknown",
    "A mail may have been handed over or not. Look for it at the provider, and say which with its resolve route.",
)
KINDS = (HAND_OVER_UNKNOWN,)


async def tell_unknown(email_ids: Sequence[int]) -> None:
    """Mails of which nobody knows whether they were handed over."""
    shown = ", ".join(map(str, email_ids[:MOST_SHOWN])) + (" ..." if len(email_ids) > MOST_SHOWN else "")
    await try_to_send(
        HAND_OVER_UNKNOWN.about(
            "followups",
            subject=f"[Manifold] followups: of {len(email_ids)} mails nobody knows whether they were handed over",
            text=(
                f"The mails {shown} were being handed over when their worker stopped, or the provider's answer was "
                "lost. They are not sent again.\n\n"
                "Look for their Message-ID at the provider or in the relay's log, then for each:\n"
                '    POST /api/emails/{id}/resolve {"handed_over": true}\n'
            ),
        )
    )
