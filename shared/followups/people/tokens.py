"""The tokens of agents: those with which they call, and those in mails by which they set a new password."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from shared.followups.settings import settings
from shared.platform.access.tokens import Tokens
from shared.platform.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

AUDIENCE: Final = "followups"
FOR_PASSWORD: Final = "followups-password"  # noqa: S105 - names what a token is for
PASSWORD_LIFETIME: Final = timedelta(hours=1)


def keys() -> Sequence[SecretStr]:
    """The keys that sign and verify.

    Raises:
        Forbidden: the app has none.
    """
    signing_keys = settings().followups_jwt_secret
    if not signing_keys:
        raise Forbidden(
            "No agent can sign in: this app has no key for tokens.",
            code="sign-in-not-configured",
            remedy="Set FOLLOWUPS_JWT_SECRET in the app's settings.",
        )
    return signing_keys


def lifetime() -> timedelta:
    """How long a token is good for."""
    return timedelta(hours=settings().followups_token_hours)


def issue(agent_id: int) -> str:
    """A new token of the agent. Raises Forbidden as `keys`."""
    now = datetime.now(UTC)
    return Tokens(AUDIENCE, keys()).sign({"sub": str(agent_id), "iat": now, "exp": now + lifetime()})


def read(token: str) -> tuple[int, datetime]:
    """The agent whose token it is, and since when.

    Raises:
        Unauthenticated: we did not sign it, or it has expired.
        Forbidden: as `keys`.
    """
    claims = Tokens(AUDIENCE, keys()).read(token)
    return int(claims["sub"]), datetime.fromtimestamp(int(claims["iat"]), UTC)


def issue_for_password(agent_id: int, fingerprint: str) -> str:
    """A token that lets the agent replace the password with this fingerprint. Raises Forbidden as `keys`."""
    now = datetime.now(UTC)
    claims = {"sub": str(agent_id), "iat": now, "exp": now + PASSWORD_LIFETIME, "password": fingerprint}
    return Tokens(FOR_PASSWORD, keys()).sign(claims)


def read_for_password(token: str) -> tuple[int, str]:
    """The agent and the fingerprint in such a token.

    Raises:
        Unauthenticated: we did not sign it for this, or it has expired.
        Forbidden: as `keys`.
    """
    claims = Tokens(FOR_PASSWORD, keys(), "Ask for a new link.").read(token)
    return int(claims["sub"]), str(claims["password"])
