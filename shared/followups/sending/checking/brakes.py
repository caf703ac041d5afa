"""What stops all mails at once: the operator's switch, and too many complaints."""

from __future__ import annotations

from dataclasses import dataclass

from shared.platform.stores.postgres import database, rows

WARN, STOP = 0.001, 0.003
"""Shares of complaints at which the big mailbox providers begin to distrust a sender, and to refuse it."""
JUDGED_FROM, FEWEST_COMPLAINTS = 1000, 3
"""Mails of 30 days, or complaints of fewer mails: one or two of those may be chance, and a share says nothing yet."""


@dataclass(frozen=True, slots=True)
class Complaints:
    """Of all mails of the last 30 days."""

    complaints: int
    sent: int

    @property
    def warn(self) -> bool:
        """Whether an operator is warned."""
        return self._judged and self.complaints >= WARN * self.sent

    @property
    def stop(self) -> bool:
        """Whether all mails are stopped."""
        return self._judged and self.complaints >= STOP * self.sent

    @property
    def _judged(self) -> bool:
        return self.sent >= JUDGED_FROM or self.complaints >= FEWEST_COMPLAINTS


async def complaints() -> Complaints:
    """How many complained of how many."""
    async with database() as connection:
        [counted] = await rows(
            connection,
            "select count(*) filter (where delivery = 'complained') as complaints, count(*) as sent"
            " from followups.emails where state = 'sent' and sent_at > now() - interval '30 days'",
        )
    return Complaints(**counted)


async def stop(reason: str) -> None:
    """Hand nothing over any more, from the next check on; may be repeated."""
    async with database() as connection:
        await connection.execute(
            "update followups.scheduler set stopped_at = coalesce(stopped_at, now()), stop_reason = %s", (reason,)
        )


async def resume() -> None:
    """Let what is due go out again; may be repeated."""
    async with database() as connection:
        await connection.execute("update followups.scheduler set stopped_at = null, stop_reason = null")
