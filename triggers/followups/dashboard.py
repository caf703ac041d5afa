"""Routes of an agent's figures."""

from __future__ import annotations

from pydantic import Field

from shared.followups.reporting import dashboard
from shared.followups.reporting.dashboard import Activity, Stats
from shared.platform.access.auth import Caller
from shared.platform.http import Routes
from shared.platform.models import LazyModel
from triggers.followups.accounts.guard import AGENT, agent_of

routes = Routes(tag="dashboard", unusable=422)


class ActivityQuery(LazyModel, extra="forbid"):
    limit: int = Field(default=20, ge=1, le=100, description="Most events")


@routes.get("/api/dashboard/stats", needs=AGENT, summary="The agent's figures")
async def followups_stats(caller: Caller) -> Stats:
    return await dashboard.stats(agent_of(caller))


@routes.get("/api/dashboard/recent-activity", needs=AGENT, summary="What happened last")
async def followups_activity(query: ActivityQuery, caller: Caller) -> Activity:
    return await dashboard.recent_activity(agent_of(caller), query.limit)
