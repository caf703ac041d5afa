"""The switch that stops all mails at once."""

from __future__ import annotations

from shared.platform.postgres import database


async def stop(reason: str) -> None:
    """Hand nothing over any more, from the next check on; may be repeated."""
    async with database() as connection:
        await connection.execute(
            "update followups.scheduler set stopped_at = coalesce(stopped_at, now()), stop_reason = %s", (reason,)
        )


async def go_on() -> None:
    """Let what is due go out again; may be repeated."""
    async with database() as connection:
        await connection.execute("update followups.scheduler set stopped_at = null, stop_reason = null")
