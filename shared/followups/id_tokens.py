"""Tokens that others sign (OpenID Connect): whose signature, issuer, audience or time is wrong is refused.

Keys are fetched from one address alone, which no token chooses, and only for a token that claims to be for us.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from shared.platform.errors import TransientError, Unauthenticated

ALGORITHM = "RS256"
FETCH_SECONDS = 10
OLDEST_KEYS_SECONDS = 3600
"""A key that its owner has withdrawn is believed for no longer."""
SOONEST_SECONDS = 30
"""Tokens with keys that nobody knows make us fetch no more often."""
LEEWAY_SECONDS = 60
LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs, for whom, and where the keys are.

    Attributes:
        names: what tokens may say as `iss`.
        audience: what they must say as `aud`.
    """

    keys_url: str
    names: tuple[str, ...]
    audience: str


@dataclass(slots=True)
class _Keys:
    fetched_at: float = float("-inf")
    by_id: dict[str, Any] = field(default_factory=dict[str, Any])


_keys_by_url: dict[str, _Keys] = {}


async def claims(token: str, issuer: Issuer) -> dict[str, Any]:
    """What the token says.

    Raises:
        Unauthenticated: it is none of this issuer for us, or not good any more.
        TransientError: the issuer does not show its keys now.
    """
    import jwt  # noqa: PLC0415 - brings cryptography, which loads where it is needed

    try:
        if len(token) > LONGEST:
            raise jwt.InvalidTokenError
        head = jwt.get_unverified_header(token)
        unverified = jwt.decode(token, options={"verify_signature": False})
        if head.get("alg") != ALGORITHM or unverified.get("iss") not in issuer.names:
            raise jwt.InvalidTokenError
        key = await _key(str(head.get("kid", "")), issuer.keys_url)
        return jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=issuer.audience,
            issuer=list(issuer.names),
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except (jwt.PyJWTError, ValueError):
        raise Unauthenticated("The token is not good, or no longer.", code="bad-token") from None


async def _key(key_id: str, url: str) -> Any:
    from jwt import InvalidTokenError  # noqa: PLC0415 - as above

    keys = _keys_by_url.setdefault(url, _Keys())
    age = monotonic() - keys.fetched_at
    if age > OLDEST_KEYS_SECONDS or (key_id not in keys.by_id and age > SOONEST_SECONDS):
        keys.by_id = await _fetched(url)
        keys.fetched_at = monotonic()
    if key_id not in keys.by_id:
        raise InvalidTokenError
    return keys.by_id[key_id]


async def _fetched(url: str) -> dict[str, Any]:
    from httpx import AsyncClient, HTTPError  # noqa: PLC0415 - loads where it is needed
    from jwt import PyJWKSet, PyJWTError  # noqa: PLC0415 - as above

    try:
        async with AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as client:
            answer = await client.get(url)
        answer.raise_for_status()
        key_set = PyJWKSet.from_dict(answer.json())
    except (HTTPError, PyJWTError, ValueError, TypeError) as error:
        raise TransientError(f"The issuer's keys cannot be read: {type(error).__name__}.", code="keys") from error
    return {key.key_id: key for key in key_set.keys if key.key_id}
