"""Orphaned runs: their rows say that they are running, and no orchestration works on them.

An orchestration that is terminated or purged, or that cannot reach the database when it ends, leaves its
run's row as it was. Triggers, which can look at the host's instances, name such runs; here they are ended. A run says
which task hub works on it, since hosts with hubs of their own may share the database, and see only their own instances.
"""

from __future__ import annotations

from dataclasses import dataclass
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


STALE_HOURS = 48
"""After this long without a sign of life a run is an orphan, whoever works on it; none waits for longer than a day."""


@dataclass(frozen=True, slots=True)
class Running:
    """A run whose row says that it is running.

    Attributes:
        hub: the task hub that works on it; None: it was claimed before hubs had names.
        stale: nothing of it has changed for STALE_HOURS.
    """

    run_id: UUID
    hub: UUID | None
    stale: bool

    def of_others(self, hub: UUID) -> bool:
        """Whether another hub works on it, as far as can be told: then only that one knows if it still does."""
        return self.hub not in (None, hub) and not self.stale

    def orphaned(self, hub: UUID, *, at_work: bool) -> bool:
        """Whether nothing works on it any more; `at_work`: something of this hub works on the feed."""
        return not at_work and not self.of_others(hub)


async def running() -> dict[FeedName, Running]:
    """The run that each feed's rows call running."""
    async with database() as connection:
        found = await rows(
            connection,
            """
            select r.feed, r.run_id, r.hub, greatest(r.started_at, (
                select max(greatest(w.started_at, w.completed_at, p.updated_at)) from diamonds.worker_runs w
                left join diamonds.partition_progress p using (run_id, partition_id) where w.run_id = r.run_id
            )) < now() - %s * interval '1 hour' as stale
            from diamonds.run_metadata r where r.status = 'running' order by r.feed
            """,
            (STALE_HOURS,),
        )
    return {row["feed"]: Running(row["run_id"], row["hub"], row["stale"]) for row in found}


async def adopt(run_id: UUID, hub: UUID) -> None:
    """From now on this hub works on the run: it is taken up again."""
    async with database() as connection:
        await connection.execute("update diamonds.run_metadata set hub = %s where run_id = %s", (hub, run_id))


async def end(run_id: UUID) -> RunSummary | None:
    """End an orphaned run as failed; None if it has ended by itself. May be repeated, with the same answer.

    What it has read is kept: it can be retried or consolidated as any failed run.

    Raises:
        NotFound: there is no such run.
    """
    error = (
        ORPHANED,
        "Its orchestration was terminated or purged, or ended while the database could not be reached.",
    )
    try:
        await lifecycle.finish_run(run_id, RunStatus.FAILED, error=error)
    except Conflict:
        return None
    ended = await reports.summary(run_id)
    return ended if ended.error_code == ORPHANED else None
