"""The mails of the follow-ups to operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.platform.alerting.alerts import AlertKind, try_to_send

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SHOWN = 20

HAND_OVER_UNKNOWN = AlertKind(
    "hand-over-unknown",
    "A mail may have been handed over or not. Look for it at the provider, and say which with its resolve route.",
)
COMPLAINTS = AlertKind(
    "complaints",
    "Too many clients call the mails spam; at 0.3 % all are stopped. See whom they went to before you let them go on.",
)
BAD_SIGNATURES = AlertKind(
    "webhook-signatures",
    "Many requests to the webhooks had a wrong signature. See whether a topic or secret is wrong, or somebody guesses.",
)
SENDER_DOMAIN = AlertKind(
    "sender-domain",
    "DNS does not show what mailboxes ask of the sender's domain, and no mail goes out. Mend the records it names.",
)
KINDS = (HAND_OVER_UNKNOWN, COMPLAINTS, BAD_SIGNATURES, SENDER_DOMAIN)


async def alert_unknown(email_ids: Sequence[int]) -> None:
    """Mails of which nobody knows whether they were handed over."""
    numbers = ", ".join(map(str, email_ids[:MOST_SHOWN])) + (" ..." if len(email_ids) > MOST_SHOWN else "")
    await try_to_send(
        HAND_OVER_UNKNOWN.about(
            "followups",
            subject=f"[Manifold] followups: of {len(email_ids)} mails nobody knows whether they were handed over",
            text=(
                f"The mails {numbers} were being handed over when their worker stopped, or the provider's answer was "
                "lost. They are not sent again.\n\n"
                "Look for their Message-ID at the provider or in the relay's log, then for each:\n"
                '    POST /api/emails/{id}/resolve {"handed_over": true}\n'
            ),
        )
    )


async def alert_complaints(complaints: int, sent: int, *, stopped: bool) -> None:
    """The share of complaints is high."""
    done = "All mails are stopped." if stopped else "At 0.3 % all mails are stopped."
    await try_to_send(
        COMPLAINTS.about(
            "followups-stopped" if stopped else "followups",
            subject=f"[Manifold] followups: {complaints} complaints of {sent} mails",
            text=(
                f"Of {sent} mails of the last 30 days, {complaints} were called spam. {done}\n\n"
                "To let them go on, once the cause is gone:\n    POST /api/followups/resume\n"
            ),
        )
    )


async def alert_bad_signatures(requests: int) -> None:
    """Somebody sends the webhooks what no provider signed."""
    await try_to_send(
        BAD_SIGNATURES.about(
            "followups",
            subject=f"[Manifold] followups: {requests} requests to webhooks with a wrong signature",
            text=(
                f"In five minutes {requests} requests to the webhooks had a wrong signature, topic or certificate. "
                "They were refused.\n\nIf they are your provider's, see FOLLOWUPS_SNS_TOPICS, "
                "RESEND_WEBHOOK_SECRET and FOLLOWUPS_EVENT_GRID_AUDIENCE.\n"
            ),
        )
    )


async def alert_domain(domain: str, problems: Sequence[str]) -> None:
    """The sender's domain is not ready, and all mails wait."""
    await try_to_send(
        SENDER_DOMAIN.about(
            "followups",
            subject=f"[Manifold] followups: {domain} is not ready to send, and all mails wait",
            text=(
                "Mailboxes would not believe mails of this domain:\n\n"
                + "".join(f"    - {problem}\n" for problem in problems)
                + "\nIt is looked at again every quarter of an hour, or at once:\n"
                "    POST /api/followups/sender-domain/check\n"
            ),
        )
    )
