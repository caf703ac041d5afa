"""Orphaned runs: their rows say that they are running, and no orchestration works on them.

An orchestration that is terminated or purged from outside, or that cannot reach the database when it ends, leaves its
run's row as it was. Triggers, which can look at the host's instances, name such runs; here they are ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.diamonds.runs import lifecycle, reports
from shared.diamonds.runs.models import RunStatus
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID

    from shared.diamonds.models import FeedName
    from shared.diamonds.runs.models import RunSummary

ORPHANED = "run-lost"


async def running() -> dict[FeedName, UUID]:
    """The run that each feed's rows call running."""
    async with database() as connection:
        found = await rows(
            connection, "select feed, run_id from diamonds.run_metadata where status = 'running' order by feed"
        )
    return {row["feed"]: row["run_id"] for row in found}


async def end(run_id: UUID) -> RunSummary | None:
    """End an orphaned run as failed; None if it has ended by itself. May be repeated, with the same answer.

    What it has read is kept: it can be retried or consolidated as any failed run.

    Raises:
        NotFound: there is no such run.
    """
    error = (
        ORPHANED,
        "Its orchestration was stopped from outside, or ended while the database could not be reached.",
    )
    try:
        await lifecycle.finish_run(run_id, RunStatus.FAILED, error=error)
    except Conflict:
        return None
    ended = await reports.summary(run_id)
    return ended if ended.error_code == ORPHANED else None
