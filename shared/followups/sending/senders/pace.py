"""The pace of a provider, which all host instances keep together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.followups.settings import settings
from shared.platform.calls.rate_limit import rate_limit

if TYPE_CHECKING:
    from shared.followups.sending.senders.base import EmailSender


async def turn(provider: EmailSender, max_wait_seconds: float) -> None:
    """Return when the next mail may be handed over by FOLLOWUPS_MAILS_PER_MINUTE, and hand it over at once.

    Raises:
        TransientError: that is later than in `max_wait_seconds`.
    """
    mails_per_second = settings().followups_mails_per_minute / 60
    await rate_limit(f"followups-{provider.name}", mails_per_second).turn(max_wait_seconds)
