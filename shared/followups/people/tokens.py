"""The tokens with which agents call: JWTs that this app signs with FOLLOWUPS_JWT_SECRET."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.followups.settings import settings
from shared.platform.errors import Forbidden, Unauthenticated

ALGORITHM, ISSUER, AUDIENCE = "HS256", "manifold", "followups"


def lifetime() -> timedelta:
    """How long a token is good for."""
    return timedelta(hours=settings().followups_token_hours)


def issue(agent_id: int) -> str:
    """A new token of the agent.

    Raises:
        Forbidden: the app has no key to sign with.
    """
    import jwt  # noqa: PLC0415 - brings cryptography, which loads where it is needed

    now = datetime.now(UTC)
    claims = {"sub": str(agent_id), "iat": now, "exp": now + lifetime(), "iss": ISSUER, "aud": AUDIENCE}
    return jwt.encode(claims, _secret(), ALGORITHM)


def read(token: str) -> int:
    """The agent whose token it is.

    Raises:
        Unauthenticated: we did not sign it, or it has expired.
        Forbidden: the app has no key to check it with.
    """
    import jwt  # noqa: PLC0415 - as above

    try:
        found = jwt.decode(
            token,
            _secret(),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "sub", "iss", "aud"]},
        )
        return int(found["sub"])
    except (jwt.PyJWTError, ValueError):
        raise Unauthenticated("The token is not good, or no longer.", remedy="Sign in again.") from None


def _secret() -> str:
    secret = settings().followups_jwt_secret
    if secret is None:
        raise Forbidden(
            "No agent can sign in: this app has no key for tokens.",
            code="sign-in-not-configured",
            remedy="Set FOLLOWUPS_JWT_SECRET in the app's settings.",
        )
    return secret.get_secret_value()
