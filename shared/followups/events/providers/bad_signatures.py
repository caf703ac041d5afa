"""Counts requests to webhooks with a wrong signature: many at once are somebody's attempt, or our mistake."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from shared.followups import alerts
from shared.platform.errors import Forbidden, Unauthenticated
from shared.platform.stores.postgres import database, rows

MOST = 20
"""In five minutes; then /health/scheduler is red and a person is alerted."""


@asynccontextmanager
async def counted() -> AsyncGenerator[None]:
    """Count who is refused within; not where the app has no secret to check a signature with."""
    try:
        yield
    except (Forbidden, Unauthenticated) as error:
        if error.code != "webhook-not-configured":
            await note()
        raise


async def note() -> None:
    """Count one, and alert a person when there are many."""
    async with database() as connection:
        await connection.execute(
            "insert into followups.bad_signatures as known (minute, requests) values (date_trunc('minute', now()), 1)"
            " on conflict (minute) do update set requests = known.requests + 1"
        )
        await connection.execute("delete from followups.bad_signatures where minute < now() - interval '7 days'")
        [counted] = await rows(connection, f"select {RECENT} as n")
    if counted["n"] >= MOST:
        await alerts.alert_bad_signatures(counted["n"])


RECENT = (
    "(select coalesce(sum(requests), 0)::int from followups.bad_signatures where minute > now() - interval '5 minutes')"
)
