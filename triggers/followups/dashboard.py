"""Routes of an agent's figures."""

from __future__ import annotations

import azure.functions as func
from pydantic import Field

from shared.followups.keyset import Place
from shared.followups.reporting import dashboard
from shared.followups.reporting.dashboard import Event, Stats
from shared.platform.access.auth import Caller
from shared.platform.http import Reply, Routes
from triggers.followups.accounts.guard import AGENT, agent_of
from triggers.followups.lists import MomentPage, linked

routes = Routes(tag="dashboard", unusable=422)


class ActivityQuery(MomentPage):
    limit: int = Field(default=10, ge=1, le=100, description="Most items of one page")


@routes.get("/api/dashboard/stats", needs=AGENT, summary="The agent's figures")
async def followups_stats(caller: Caller) -> Stats:
    return await dashboard.stats(agent_of(caller))


@routes.get("/api/dashboard/recent-activity", needs=AGENT, summary="What happened last")
async def followups_activity(query: ActivityQuery, caller: Caller, request: func.HttpRequest) -> Reply[list[Event]]:
    events = await dashboard.recent_activity(agent_of(caller), Place.of(query.cursor), query.limit)
    return linked(events, query.limit, request, followups_activity.__name__)
