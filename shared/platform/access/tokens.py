"""Signed tokens (JWT, HS256) of one purpose, with keys that can be replaced while the old tokens go on working."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast

from pydantic import BeforeValidator, SecretStr

from shared.platform.errors import Unauthenticated

ALGORITHM: Final = "HS256"
ISSUER: Final = "manifold"
LEAST_LENGTH: Final = 32
MOST_KEYS: Final = 3


def _keys(value: object) -> object:
    """One key, or JSON ["new", "old"]; the messages name none. A vault holds no empty secret, so `unset` is none."""
    if value in (None, "unset", ()):
        return ()
    given: object = value
    if isinstance(value, str):
        try:
            given = json.loads(value) if value.startswith("[") else [value]
        except ValueError:
            raise ValueError('one key, or JSON ["new", "old"], is needed') from None
    if not isinstance(given, list | tuple):
        raise ValueError('one key, or JSON ["new", "old"], is needed')  # noqa: TRY004 - pydantic reads ValueError
    keys = [one for one in cast("Sequence[object]", given) if isinstance(one, str) and len(one) >= LEAST_LENGTH]
    if not 1 <= len(keys) == len(cast("Sequence[object]", given)) <= MOST_KEYS:
        raise ValueError(f"one to {MOST_KEYS} keys of {LEAST_LENGTH} characters or more are needed")
    return tuple(keys)


SigningKeys = Annotated[tuple[SecretStr, ...], BeforeValidator(_keys)]
"""A setting: the key that signs, then those that it replaced; each verifies."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Signs and reads the tokens of one audience: one for another purpose is refused.

    Attributes:
        keys: the one that signs, then those that still verify.
        remedy: what somebody does whose token is refused.
    """

    audience: str
    keys: Sequence[SecretStr]
    remedy: str = "Sign in again."

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A token with these claims; `exp` and `iat` are the caller's to give."""
        import jwt  # noqa: PLC0415 - brings cryptography, which loads where it is needed

        secret = self.keys[0].get_secret_value()
        given = {**claims, "iss": ISSUER, "aud": self.audience}
        return jwt.encode(given, secret, ALGORITHM, headers={"kid": key_id(secret)})

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token that we have signed for this audience and that has not expired.

        Raises:
            Unauthenticated: it is none of that.
        """
        import jwt  # noqa: PLC0415 - as above

        try:
            named = jwt.get_unverified_header(token).get("kid")
            for secret in (key.get_secret_value() for key in self.keys):
                if hmac.compare_digest(key_id(secret).encode(), str(named).encode()):
                    return jwt.decode(
                        token,
                        secret,
                        algorithms=[ALGORITHM],
                        issuer=ISSUER,
                        audience=self.audience,
                        # Instances' clocks differ: a token that was made a moment from now is ours all the same.
                        options={"require": ["exp", "iat", "sub", "iss", "aud"], "verify_iat": False},
                    )
        except (jwt.PyJWTError, ValueError):
            pass
        raise Unauthenticated(
            "The token is not good, or no longer.", code="token-refused", remedy=self.remedy
        ) from None


def derived_key(keys: Sequence[SecretStr], use: str) -> bytes:
    """A key for another use than signing tokens, which tells nothing of the one that signs.

    It is made of the oldest key, so that it stays when a new one is put before it.
    """
    return hmac.digest(keys[-1].get_secret_value().encode(), use.encode(), hashlib.sha256)


def key_id(secret: str) -> str:
    """The name of a key, which tells nothing of it."""
    return hmac.digest(secret.encode(), b"kid", hashlib.sha256).hex()[:16]
