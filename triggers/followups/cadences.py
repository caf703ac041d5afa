"""Routes of the cadence: an agent's own, and the operator's for everybody who has none."""

from __future__ import annotations

from shared.followups.people import cadences
from shared.followups.people.cadences import Cadence, CadenceChange
from shared.platform.access.auth import ADMIN, Caller
from shared.platform.http import Routes
from triggers.followups.accounts.guard import AGENT, agent_of

routes = Routes(tag="cadence", unusable=422)


@routes.get("/api/cadence", needs=AGENT, summary="The steps that a new client gets")
async def followups_read_cadence(caller: Caller) -> Cadence:
    return await cadences.read(agent_of(caller))


@routes.put("/api/cadence", needs=AGENT, summary="Have a cadence of one's own")
async def followups_replace_cadence(body: CadenceChange, caller: Caller) -> Cadence:
    """For clients who are entered from now on; what is planned stays."""
    return await cadences.replace(agent_of(caller), body)


@routes.delete("/api/cadence", needs=AGENT, summary="Have everybody's cadence again")
async def followups_give_up_cadence(caller: Caller) -> Cadence:
    return await cadences.use_default(agent_of(caller))


@routes.get("/api/followups/cadence", needs=ADMIN, summary="Everybody's cadence")
async def followups_read_default_cadence() -> Cadence:
    return await cadences.read(None)


@routes.put("/api/followups/cadence", needs=ADMIN, summary="Change everybody's cadence")
async def followups_replace_default_cadence(body: CadenceChange) -> Cadence:
    """For clients who are entered from now on, of agents who have none of their own."""
    return await cadences.replace(None, body)
