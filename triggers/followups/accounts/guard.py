"""Which agent is calling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.followups.people import agents, tokens
from shared.followups.settings import settings
from shared.platform.access.auth import ADMIN, PUBLIC, Caller, Guard, header
from shared.platform.access.failed_attempts import failed_attempts
from shared.platform.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    import azure.functions as func


class AgentToken:
    """Lets in an agent who has signed in; each sees only its own data."""

    schemes: Mapping[str, Mapping[str, str]] = {
        "AgentToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From the login."}
    }

    async def authenticate(self, request: func.HttpRequest) -> Caller:
        scheme, _, token = header(request, "Authorization").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("Nothing says which agent is calling.", remedy="Send Authorization: Bearer <token>.")
        with failed_attempts.watched(request):
            agent = await agents.signed_in(*tokens.read(token.strip()))
            if agent is None:
                raise Unauthenticated("The session has ended.", remedy="Sign in again.")
        if not agent.is_active:
            raise Forbidden("The agent is not active.", code="agent-inactive", remedy="Ask the operator.")
        return Caller(f"agent-{agent.id}", organization=str(agent.id))


class Registration:
    """Lets in everybody where registration is open, else the operator: agents send mail in the operator's name."""

    schemes: Mapping[str, Mapping[str, str]] = ADMIN.schemes

    async def authenticate(self, request: func.HttpRequest) -> Caller:
        guard: Guard = PUBLIC if settings().followups_open_registration else ADMIN
        return await guard.authenticate(request)


AGENT: Guard = AgentToken()
REGISTRATION: Guard = Registration()


def agent_of(caller: Caller) -> int:
    """The number of the agent who is calling."""
    assert caller.organization is not None, "the guard names it"
    return int(caller.organization)
