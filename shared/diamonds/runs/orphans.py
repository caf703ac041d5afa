"""Runs whose rows say that they are at work although nobody is.

An orchestration that is stopped or purged from outside, or that cannot reach the database when it ends, leaves its
run's row as it was. The doors, which can ask the host, name such runs; here they are ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.diamonds.models import RunStatus
from shared.diamonds.reporting import alerts, reports
from shared.diamonds.runs import lifecycle
from shared.platform.alerts import try_to_send
from shared.platform.errors import Conflict
from shared.platform.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID

    from shared.diamonds.models import FeedName

RUN_LOST = "run-lost"


async def running() -> dict[FeedName, UUID]:
    """The run that each feed's rows call running."""
    async with database() as connection:
        found = await rows(
            connection, "select feed, run_id from diamonds.run_metadata where status = 'running' order by feed"
        )
    return {row["feed"]: row["run_id"] for row in found}


async def end(run_id: UUID) -> bool:
    """End a run that nobody works on as failed, and mail it; False if it has ended by itself. May be repeated.

    What it has read is kept: it can be retried or consolidated as any failed run.

    Raises:
        NotFound: there is no such run.
    """
    error = (
        RUN_LOST,
        "Its orchestration was stopped from outside, or ended while the database could not be reached.",
    )
    try:
        await lifecycle.finish_run(run_id, RunStatus.FAILED, error=error)
    except Conflict:
        return False
    ended = await reports.summary(run_id)
    if ended.error_code != RUN_LOST:
        return False
    await try_to_send(alerts.run_failed(ended))
    return True
