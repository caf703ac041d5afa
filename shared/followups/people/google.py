"""Sign-in with Google: by an ID token of ours that Google signed, for an address that it has verified.

An account is known by Google's number of the person, never by the address alone: whoever enters an address here first
would else share the account of its owner. Who has a password signs in with it once more and links the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict, TypeAdapter, ValidationError

from shared.followups import id_tokens
from shared.followups.id_tokens import Issuer
from shared.followups.people import agents
from shared.followups.people.models import Address, Agent
from shared.followups.settings import settings
from shared.platform.errors import Conflict, Forbidden, Unauthenticated

NAMES = ("https://accounts.google.com", "accounts.google.com")
LONGEST_NAME = 200
_ADDRESS: TypeAdapter[str] = TypeAdapter(Address, config=ConfigDict(defer_build=True))


@dataclass(frozen=True, slots=True)
class GoogleAccount:
    """Who signed in at Google; `subject` is the number that never changes."""

    subject: str
    email: str
    name: str


async def account_of(credential: str) -> GoogleAccount:
    """The account that an ID token is about.

    Raises:
        Forbidden: this app has no client id at Google.
        Unauthenticated: the token is none of Google for this app, or its address is not verified.
        TransientError: Google does not show its keys now.
    """
    audience = settings().google_client_id
    if not audience:
        raise Forbidden(
            "Nobody can sign in with Google here.", code="sign-in-not-configured", remedy="Set GOOGLE_CLIENT_ID."
        )
    claims = await id_tokens.claims(credential, Issuer(settings().google_keys_url, NAMES, audience))
    if claims.get("email_verified") not in (True, "true"):
        raise Unauthenticated("Google has not verified the address.", code="address-not-verified")
    try:
        email = _ADDRESS.validate_python(claims.get("email"))
    except ValidationError:
        raise Unauthenticated("The token has no usable address.", code="bad-token") from None
    name = " ".join(str(claims.get("name") or "").split())[:LONGEST_NAME]
    return GoogleAccount(str(claims["sub"])[:LONGEST_NAME], email, name or email)


async def sign_in(account: GoogleAccount) -> Agent:
    """The agent who is linked with the account; where registration is open, a new one if there is none.

    Raises:
        Conflict: an agent with the address is not linked.
        Forbidden: there is no agent, and registration is not open.
        Unauthenticated: the agent is not active.
    """
    agent = await agents.by_google(account.subject)
    if agent is None:
        if await agents.by_email(account.email):
            raise Conflict(
                "There is an agent with this address who has not linked Google.",
                code="link-first",
                remedy="Sign in with the password, then POST /api/agents/me/google.",
            )
        if not settings().followups_open_registration:
            raise Forbidden("There is no such agent.", code="registration-closed", remedy="Ask the operator.")
        agent = await agents.register_with_google(account.email, account.subject, account.name)
    if not agent.is_active:
        raise Unauthenticated("The agent is not active.", code="sign-in-refused")
    return agent
