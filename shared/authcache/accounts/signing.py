"""The tokens of accounts, each kind for one purpose: one for another is refused."""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum

from shared.authcache.settings import settings
from shared.platform.access.tokens import Tokens
from shared.platform.errors import Forbidden


class Purpose(StrEnum):
    """What a token is for, as its audience says."""

    ACCESS = "authcache"
    REFRESH = "authcache-refresh"
    VERIFY = "authcache-verify"
    RESET = "authcache-reset"
    ADDRESS = "authcache-address"
    DOCUMENT = "authcache-document"


def tokens(purpose: Purpose) -> Tokens:
    """Signs and reads the tokens of this purpose.

    Raises:
        Forbidden: the app has no key for tokens.
    """
    keys = settings().authcache_jwt_keys
    if not keys:
        raise Forbidden(
            "Nobody can log in: this app has no key for tokens.",
            code="sign-in-not-configured",
            remedy="Set AUTHCACHE_JWT_KEYS in the app's settings.",
        )
    return Tokens(purpose, keys)


def secret_for(use: str) -> bytes:
    """A key for another use than signing tokens, which tells nothing of the one that signs.

    It is made of the oldest key, so that it stays when a new one is put before it.

    Raises:
        Forbidden: as `tokens`.
    """
    oldest = tokens(Purpose.ACCESS).keys[-1].get_secret_value()
    return hmac.digest(oldest.encode(), use.encode(), hashlib.sha256)
