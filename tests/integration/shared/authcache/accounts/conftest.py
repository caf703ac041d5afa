"""Accounts on a log of their own in Azurite."""

import time
from typing import Any

import pytest

from shared.authcache.accounts import lifecycle
from shared.authcache.accounts.mails import address_fingerprint, read_token
from shared.authcache.accounts.models import Registration
from shared.authcache.accounts.signing import Purpose, tokens
from shared.platform.access.passwords import checking
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_store

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
async def accounts(storage, container, monkeypatch):
    """The app's own store, with a key for tokens; on a busy machine nobody waits in vain."""
    monkeypatch.setattr(checking, "WAIT_SECONDS", 60)
    monkeypatch.setenv("AUTHCACHE_JWT_KEYS", "k" * 40)
    forget_settings()
    yield
    await close_store()


def registration(email, **fields):
    return Registration.model_validate(
        {"email": email, "password": PASSWORD, "first_name": "Ann", "last_name": "Lee", **fields}
    )


async def registered(email, *, verified=True, **fields):
    """A user, who has shown that the address is theirs unless said otherwise."""
    user, _ = await lifecycle.register(registration(email, **fields))
    if verified:
        user, _ = await lifecycle.verify(link("verify", user, address_fingerprint(user)))
    return user


def link(kind, user, stamped, to="", **claims):
    """The token of a mail, as it would have come."""
    now = int(time.time())
    given: dict[str, Any] = {"sub": user.id, "iat": now, "exp": now + 600, "of": stamped, "to": to, "lsn": 0, **claims}
    token = tokens(Purpose(f"authcache-{kind}")).sign(given)
    if given["exp"] > now:
        assert read_token(kind, token)["sub"] == user.id
    return token
