"""The tokens with which agents call: JWTs that this app signs with FOLLOWUPS_JWT_SECRET."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.followups.settings import settings
from shared.platform.errors import Forbidden, Unauthenticated

ALGORITHM, ISSUER, AUDIENCE = "HS256", "manifold", "followups"
FOR_PASSWORD, PASSWORD_LIFETIME = "followups-password", timedelta(hours=1)


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


def read(token: str) -> tuple[int, datetime]:
    """The agent whose token it is, and since when.

    Raises:
        Unauthenticated: we did not sign it, or it has expired.
        Forbidden: the app has no key to check it with.
    """
    claims = _claims(token, AUDIENCE, "Sign in again.")
    return int(claims["sub"]), datetime.fromtimestamp(int(claims["iat"]), UTC)


def issue_for_password(agent_id: int, fingerprint: str) -> str:
    """A token that lets the agent set a new password in place of the one with this fingerprint.

    Raises:
        Forbidden: the app has no key to sign with.
    """
    import jwt  # noqa: PLC0415 - as above

    now = datetime.now(UTC)
    claims = {"sub": str(agent_id), "iat": now, "exp": now + PASSWORD_LIFETIME, "iss": ISSUER, "aud": FOR_PASSWORD}
    return jwt.encode(claims | {"password": fingerprint}, _secret(), ALGORITHM)


def read_for_password(token: str) -> tuple[int, str]:
    """The agent and the fingerprint in such a token.

    Raises:
        Unauthenticated: we did not sign it for this, or it has expired.
        Forbidden: the app has no key to check it with.
    """
    claims = _claims(token, FOR_PASSWORD, "Ask for a new link.")
    return int(claims["sub"]), str(claims.get("password", ""))


def _claims(token: str, audience: str, remedy: str) -> dict[str, Any]:
    import jwt  # noqa: PLC0415 - as above

    try:
        found = jwt.decode(
            token,
            _secret(),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=audience,
            options={"require": ["exp", "iat", "sub", "iss", "aud"]},
        )
        int(found["sub"])
    except (jwt.PyJWTError, ValueError):
        raise Unauthenticated("The token is not good, or no longer.", remedy=remedy) from None
    return found


def _secret() -> str:
    secret = settings().followups_jwt_secret
    if secret is None:
        raise Forbidden(
            "No agent can sign in: this app has no key for tokens.",
            code="sign-in-not-configured",
            remedy="Set FOLLOWUPS_JWT_SECRET in the app's settings.",
        )
    return secret.get_secret_value()
