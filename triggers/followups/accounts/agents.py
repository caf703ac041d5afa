"""Routes of the agents: register, sign in, and change what is their own."""

from __future__ import annotations

from typing import Annotated, Literal

import azure.functions as func
from pydantic import Field, SecretStr

from shared.followups.people import agents, google, tokens
from shared.followups.people.models import (
    LONGEST_ADDRESS,
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    Address,
    Agent,
    AgentProfile,
    ProfileFields,
)
from shared.followups.people.sign_in import sign_in
from shared.platform.access.auth import PUBLIC, Caller
from shared.platform.access.failed_attempts import failed_attempts
from shared.platform.access.passwords.checking import hashed
from shared.platform.http import Routes
from shared.platform.models import LazyModel, RequestBody
from shared.platform.printable import Name
from triggers.followups.accounts.guard import AGENT, REGISTRATION, agent_of

routes = Routes(tag="agents", unusable=422)

Password = Annotated[SecretStr, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class RegisterRequest(ProfileFields):
    """A new agent."""

    email: Address
    password: Password
    name: Name


class LoginRequest(RequestBody):
    email: Annotated[str, Field(max_length=LONGEST_ADDRESS)]
    password: Annotated[SecretStr, Field(max_length=LONGEST_PASSWORD)]


class GoogleCredential(RequestBody):
    credential: Annotated[str, Field(min_length=1, max_length=10_000, description="The ID token")]


class Session(LazyModel):
    """Send the token as `Authorization: Bearer`."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the scheme's name
    expires_in: int = Field(description="Seconds")
    agent: Agent


@routes.post("/api/agents/register", needs=REGISTRATION, summary="Register an agent")
async def followups_register(body: RegisterRequest) -> Session:
    """Needs the admin key, unless registration is open: agents send mail in the operator's name."""
    profile = ProfileFields.model_validate(body.model_dump(exclude={"email", "password", "name"}, exclude_unset=True))
    stored = await hashed(body.password.get_secret_value())
    return _session(await agents.register(body.email, stored, body.name, profile))


@routes.post("/api/agents/login", needs=PUBLIC, summary="Sign in with address and password")
async def followups_login(body: LoginRequest, request: func.HttpRequest) -> Session:
    email = body.email.strip().lower()
    with failed_attempts.watched(request, email):
        agent = await sign_in(email, body.password.get_secret_value())
    return _session(agent)


@routes.post("/api/agents/google", needs=PUBLIC, summary="Sign in with Google")
async def followups_google(body: GoogleCredential, request: func.HttpRequest) -> Session:
    """By the ID token that Google gave the page. Where registration is open, the first time makes an agent."""
    with failed_attempts.watched(request):
        account = await google.account_of(body.credential)
        agent = await google.sign_in(account)
    return _session(agent)


@routes.post("/api/agents/me/google", needs=AGENT, summary="Sign in with Google from now on as well")
async def followups_link_google(body: GoogleCredential, caller: Caller) -> Agent:
    """Links the account that the ID token is about; an agent has one, and an account one agent."""
    account = await google.account_of(body.credential)
    return await agents.link_google(agent_of(caller), account.subject)


@routes.get("/api/agents/me", needs=AGENT, summary="Who is signed in")
async def followups_me(caller: Caller) -> Agent:
    return await agents.read(agent_of(caller))


@routes.patch("/api/agents/me", needs=AGENT, summary="Change one's own profile, hours and way of sending")
async def followups_change_me(body: AgentProfile, caller: Caller) -> Agent:
    return await agents.change(agent_of(caller), body)


@routes.post("/api/agents/me/pause", needs=AGENT, summary="Hold all one's own mails back")
async def followups_pause_me(caller: Caller) -> Agent:
    return await agents.pause(agent_of(caller), paused=True)


@routes.post("/api/agents/me/resume", needs=AGENT, summary="Let one's own mails go on")
async def followups_resume_me(caller: Caller) -> Agent:
    return await agents.pause(agent_of(caller), paused=False)


def _session(agent: Agent) -> Session:
    return Session(access_token=tokens.issue(agent.id), expires_in=int(tokens.lifetime().total_seconds()), agent=agent)
