"""Which agent is calling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.followups.people import agents, tokens
from shared.followups.settings import settings
from shared.platform.access.accounts import BearerToken, Registration
from shared.platform.access.auth import Caller, Guard
from shared.platform.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    import azure.functions as func


async def _agent(token: str, request: func.HttpRequest) -> Caller:  # noqa: ARG001 - a guard is given the request
    agent = await agents.signed_in(*tokens.read(token))
    if agent is None:
        raise Unauthenticated("The session has ended.", remedy="Sign in again.")
    if not agent.is_active:
        raise Forbidden("The agent is not active.", code="agent-inactive", remedy="Ask the operator.")
    return Caller(f"agent-{agent.id}", organization=str(agent.id))


AGENT: Guard = BearerToken("AgentToken", "agent", _agent)
REGISTRATION: Guard = Registration(lambda: settings().followups_open_registration)
"""Agents send mail in the operator's name: unless FOLLOWUPS_OPEN_REGISTRATION is set, the operator makes them."""


def agent_of(caller: Caller) -> int:
    """The number of the agent who is calling."""
    assert caller.organization is not None, "the guard names it"
    return int(caller.organization)
