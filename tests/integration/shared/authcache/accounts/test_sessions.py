"""Sessions: refreshed once a token, ended by a replay, a password, an operator."""

import asyncio
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.authcache.accounts import lifecycle, sessions
from shared.authcache.accounts.mails import fingerprint
from shared.authcache.accounts.signing import Purpose, tokens
from shared.authcache.settings import settings
from shared.authcache.store import Store, store
from shared.authcache.tables import FAMILIES
from shared.platform.errors import Unauthenticated
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_store
from tests.integration.shared.authcache.accounts.conftest import PASSWORD, link, registered
from tests.present import present


async def begun(user):
    return sessions.begin(user, (await store().view()).lsn)


async def reads(session):
    try:
        return (await sessions.reader(session.access_token, 0))[0].id
    except Unauthenticated as refused:
        return refused.code


async def test_a_log_in_writes_nothing_and_each_refresh_gives_the_next_token():
    user = await registered("ann@example.com")
    before = (await store().view()).lsn
    first = await begun(user)
    assert (await store().view()).lsn == before
    second = await sessions.refresh(first.refresh_token)
    third = await sessions.refresh(second.refresh_token)
    assert third.lsn == second.lsn + 1 == before + 2
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert [await reads(one) for one in (first, second, third)] == [user.id] * 3


async def test_ten_refreshes_with_one_token_on_two_instances_get_the_same_successor(monkeypatch):
    user = await registered("ann@example.com")
    stores = [store(), Store()]
    turns = itertools.cycle(stores)
    given = [(await begun(user)).refresh_token, (await begun(user)).refresh_token]
    monkeypatch.setattr(sessions, "store", lambda: next(turns))
    for token in given:
        followed = await asyncio.gather(*(sessions.refresh(token) for _ in range(10)))
        claims = [tokens(Purpose.REFRESH).read(one.refresh_token) for one in followed]
        assert len({one.refresh_token for one in followed}) == 1, claims
        assert (await sessions.refresh(followed[0].refresh_token)).refresh_token != followed[0].refresh_token
    await close_store(stores[1])


async def test_a_token_that_is_used_after_the_grace_ends_the_family(monkeypatch):
    user = await registered("ann@example.com")
    first = await begun(user)
    second = await sessions.refresh(first.refresh_token)
    other = await begun(user)

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(UTC) + timedelta(seconds=settings().authcache_refresh_grace_seconds + 1)

    monkeypatch.setattr(sessions, "datetime", Later)
    with pytest.raises(Unauthenticated) as refused:
        await sessions.refresh(first.refresh_token)
    assert refused.value.code == "token-replayed"
    with pytest.raises(Unauthenticated):
        await sessions.refresh(second.refresh_token)
    assert await reads(second) == "session-ended"
    assert await reads(other) == user.id


async def test_a_token_before_the_last_has_no_grace():
    user = await registered("ann@example.com")
    first = await begun(user)
    second = await sessions.refresh(first.refresh_token)
    await sessions.refresh(second.refresh_token)
    with pytest.raises(Unauthenticated, match="used before"):
        await sessions.refresh(first.refresh_token)


@pytest.mark.parametrize("how", ["password", "reset", "everywhere", "disable", "delete"])
async def test_what_ends_all_sessions_ends_access_and_refresh_tokens_at_once(how):
    user = await registered("ann@example.com")
    first = await begun(user)
    second = await sessions.refresh(first.refresh_token)
    if how == "password":
        user, _ = await lifecycle.change_password(user, PASSWORD, "another long password")
    elif how == "reset":
        user, _ = await lifecycle.reset_password(link("reset", user, fingerprint(user)), "another long password")
    elif how == "everywhere":
        await lifecycle.end_sessions(user)
    elif how == "disable":
        await lifecycle.set_active(user.id, active=False)
    else:
        await lifecycle.delete(user, PASSWORD)
    for session in (first, second):
        assert await reads(session) == "session-ended"
        with pytest.raises(Unauthenticated):
            await sessions.refresh(session.refresh_token)
    if how in ("password", "reset"):
        assert await reads(await begun(user)) == user.id


@pytest.mark.parametrize("refreshed", [False, True])
async def test_one_session_is_ended_and_others_go_on(refreshed):
    user = await registered("ann@example.com")
    session, other = await begun(user), await begun(user)
    if refreshed:
        session = await sessions.refresh(session.refresh_token)
    _, family = await sessions.reader(session.access_token, 0)
    await sessions.end(user, family)
    assert await reads(session) == "session-ended"
    with pytest.raises(Unauthenticated):
        await sessions.refresh(session.refresh_token)
    assert await reads(other) == user.id
    assert present(await (await store().view()).get(FAMILIES, family)).revoked_at


async def test_a_key_is_replaced_without_ending_sessions(monkeypatch):
    user = await registered("ann@example.com")
    session = await begun(user)
    monkeypatch.setenv("AUTHCACHE_JWT_KEYS", json.dumps(["n" * 40, "k" * 40]))
    forget_settings()
    assert await reads(session) == user.id
    session = await sessions.refresh(session.refresh_token)
    monkeypatch.setenv("AUTHCACHE_JWT_KEYS", "n" * 40)
    forget_settings()
    assert await reads(session) == user.id


async def test_an_access_token_is_no_refresh_token_nor_the_other_way_round():
    session = await begun(await registered("ann@example.com"))
    with pytest.raises(Unauthenticated):
        await sessions.refresh(session.access_token)
    with pytest.raises(Unauthenticated):
        await sessions.reader(session.refresh_token, 0)


async def test_a_token_of_a_session_that_was_ended_was_not_used_before_and_writes_nothing():
    user = await registered("ann@example.com")
    first = await begun(user)
    claims = tokens(Purpose.REFRESH).read(first.refresh_token)
    lsn = await sessions.end(user, claims["fam"])
    for _ in range(3):
        with pytest.raises(Unauthenticated) as refused:
            await sessions.refresh(first.refresh_token)
        assert refused.value.code == "session-ended"
    await store().instance.refresh()
    assert store().instance.now().lsn == lsn
