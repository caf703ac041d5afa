"""What clients were granted is read once for many requests, and revoked in time."""

import time

import pytest

from shared.platform.access.api_keys import grants
from shared.platform.errors import TransientError, Unauthenticated
from shared.platform.stores.postgres import database
from tests.integration.shared.platform.access.api_keys.conftest import GUARD, fetch, notice, request


async def test_a_revoked_key_works_no_longer_than_the_grants_are_held(command, key, monkeypatch):
    await GUARD.authenticate(request(X_API_Key=key))
    held = dict(grants._grants._values)
    assert (await command("revoke", "--client", "acme"))[:2] == (0, "revoked 1")
    grants._grants._values.update(held)
    await GUARD.authenticate(request(X_API_Key=key))  # this instance has not noticed yet
    now = time.monotonic()
    monkeypatch.setattr(grants, "monotonic", lambda: now + grants.FRESH_SECONDS + 0.01)
    with pytest.raises(Unauthenticated, match="revoked"):
        await GUARD.authenticate(request(X_API_Key=key))


async def test_an_expired_key_stops_at_once(key):
    await GUARD.authenticate(request(X_API_Key=key))
    async with database() as db:
        await db.execute("update platform.api_keys set expires_at = now() + interval '1 hour'")
    notice()
    await GUARD.authenticate(request(X_API_Key=key))
    held = grants._grants.get()
    held.by_hash = {hash_: _expired(grant) for hash_, grant in held.by_hash.items()}
    with pytest.raises(Unauthenticated, match="expired"):
        await GUARD.authenticate(request(X_API_Key=key))


def _expired(grant):
    from dataclasses import replace
    from datetime import UTC, datetime

    return replace(grant, expires_at=datetime(2020, 1, 1, tzinfo=UTC))


async def test_a_database_that_does_not_answer_lets_nobody_in(key, monkeypatch):
    await GUARD.authenticate(request(X_API_Key=key))
    notice()

    def down():
        raise TransientError("the database does not answer")

    monkeypatch.setattr(grants, "database", down)
    with pytest.raises(TransientError):
        await GUARD.authenticate(request(X_API_Key=key))


async def test_unknown_keys_cost_no_query(key, monkeypatch):
    await GUARD.authenticate(request(X_API_Key=key))
    monkeypatch.setattr(grants, "database", None)
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await GUARD.authenticate(request(X_API_Key=f"guess-{number}"))


async def test_last_use_is_noted_once_a_minute(key, monkeypatch):
    asked = []
    noted = grants.database

    def counted():
        asked.append(1)
        return noted()

    await GUARD.authenticate(request(X_API_Key=key))
    first = await fetch("select last_used_at from platform.api_keys")
    assert first[0][0] is not None
    monkeypatch.setattr(grants, "database", counted)
    for _ in range(3):
        await GUARD.authenticate(request(X_API_Key=key))
    assert asked == []
    notice()  # another instance does not write it a second time either
    await GUARD.authenticate(request(X_API_Key=key))
    assert await fetch("select last_used_at from platform.api_keys") == first
