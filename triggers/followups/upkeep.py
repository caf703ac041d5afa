"""The sweep of the follow-ups, and what tells whether it does its work."""

from __future__ import annotations

from orchestrators.followups.sending import send_followups
from shared.followups.reporting.health import SchedulerHealth, scheduler_health
from shared.followups.sending import claims
from shared.platform.access.auth import PUBLIC
from shared.platform.durable import DurableClient, Nothing
from shared.platform.http import Reply, Routes
from shared.platform.sweeps import Sweep

SWEEP = "followups-sweep"
"""The instance id of every sweep: a second one finds nothing that the first does not."""
routes = Routes(tag="followups")


async def _due(_: DurableClient) -> bool:
    return await claims.anything_due()


async def _run(client: DurableClient) -> None:
    """Send what is due, unless the last minute's sweep is still at it."""
    await client.start_if_idle(send_followups, Nothing(), instance_id=SWEEP)


sweep = Sweep("followups", due=_due, run=_run)


@routes.get("/health/scheduler", needs=PUBLIC, summary="Do follow-ups go out in time?", also={503: SchedulerHealth})
async def followups_health() -> Reply[SchedulerHealth]:
    """Red by the age of the last sweep that ended, and of the oldest task that is due."""
    health = await scheduler_health()
    return Reply(health, status=503 if health.status == "red" else 200)
