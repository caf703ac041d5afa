"""The tokens of accounts, each kind for one purpose: one for another is refused."""

from __future__ import annotations

from enum import StrEnum

from shared.authcache.settings import settings
from shared.platform.access.tokens import Tokens, derived_key
from shared.platform.errors import Forbidden

BY_MAIL = "Ask for a new mail."


class Purpose(StrEnum):
    """What a token is for, as its audience says."""

    ACCESS = "authcache"
    REFRESH = "authcache-refresh"
    VERIFY = "authcache-verify"
    RESET = "authcache-reset"
    ADDRESS = "authcache-address"
    DOCUMENT = "authcache-document"


_REMEDIES = {
    Purpose.VERIFY: BY_MAIL,
    Purpose.RESET: BY_MAIL,
    Purpose.ADDRESS: BY_MAIL,
    Purpose.DOCUMENT: "Log in, and ask for another link.",
}


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
    return Tokens(purpose, keys, _REMEDIES.get(purpose, "Log in again."))


def secret_for(use: str) -> bytes:
    """A key for another use than signing tokens.

    Raises:
        Forbidden: as `tokens`.
    """
    return derived_key(tokens(Purpose.ACCESS).keys, use)
