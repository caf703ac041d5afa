"""How old an instance's answers may be: while blobs can be read, while they cannot, and after an invalidation."""

import asyncio
import time

import pytest

from shared.authcache.base import fetching
from shared.authcache.base.invalidating import invalidate
from shared.authcache.log.shares import ShareRevoked
from shared.authcache.reading import instance as instances_module
from shared.authcache.reading.health import figures
from shared.platform.errors import InvalidInput, TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.authcache.conftest import folded, granted, local, now, registered


@pytest.fixture
def refresh(monkeypatch):
    """Instances look every so many seconds."""

    def every(seconds, stale=60):
        monkeypatch.setenv("AUTHCACHE_REFRESH_SECONDS", str(seconds))
        monkeypatch.setenv("AUTHCACHE_STALE_SECONDS", str(stale))
        forget_settings()

    return every


async def shared(store):
    ann = registered("ann@example.com")
    share = granted(ann.id, "bob@example.com")
    return ann, share, await store.commit([ann, share])


class Clock:
    """The process's own, and what a test lets pass beside it."""

    passed = 0.0

    def __call__(self):
        return time.monotonic() + self.passed


async def test_a_revoked_share_is_denied_without_an_lsn_after_the_refresh_interval(instances, refresh):
    """Nobody asks the instance for a while: then it looks before it answers."""
    refresh(300)
    here, there = instances(), instances()
    clock = there.instance._clock = Clock()
    ann, share, lsn = await shared(here)
    assert await (await there.view(lsn)).share(ann.id, "bob@example.com")
    await here.commit([ShareRevoked(at=now(), id=share.id)])
    clock.passed = 301
    assert await (await there.view()).share(ann.id, "bob@example.com") is None


async def test_an_instance_that_is_asked_sees_a_revocation_by_itself(instances, refresh):
    refresh(0.4)
    here, there = instances(), instances()
    ann, share, lsn = await shared(here)
    await there.view(lsn)
    await here.commit([ShareRevoked(at=now(), id=share.id)])
    async with asyncio.timeout(30):
        while await there.instance.now().share(ann.id, "bob@example.com") is not None:  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0.01)


async def test_no_request_waits_for_a_look_while_somebody_asks(instances, refresh, monkeypatch):
    refresh(1)
    store = instances()
    await shared(store)
    await store.view()
    looks, waited = [], []
    try_to_refresh = store.instance._try_to_refresh

    async def noted():
        (looks if asyncio.current_task() is store.instance._watching else waited).append(1)
        await try_to_refresh()

    monkeypatch.setattr(store.instance, "_try_to_refresh", noted)
    read = instances_module.read_group

    async def slow(lsn):
        await asyncio.sleep(0.1)
        return await read(lsn)

    monkeypatch.setattr(instances_module, "read_group", slow)
    async with asyncio.timeout(60):
        while len(looks) < 3:
            await store.view()
            await asyncio.sleep(0.005)
    assert waited == []


async def test_an_instance_that_is_cut_off_answers_for_a_while_and_then_refuses(instances, refresh, monkeypatch):
    refresh(60, stale=600)
    store = instances()
    clock = store.instance._clock = Clock()
    ann, _, lsn = await shared(store)
    await store.view()

    async def cut_off(*_):
        raise TransientError("The blobs do not answer.", code="storage-unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(instances_module, "read_group", cut_off)
        clock.passed = 120
        assert await (await store.view()).user_by_id(ann.id)
        with pytest.raises(TransientError):
            await store.view(lsn + 1)
        clock.passed = 700
        with pytest.raises(TransientError):
            await store.view()
        with pytest.raises(TransientError):
            await store.commit([registered("bob@example.com")])
        assert store.instance.refusals >= 2
    assert await (await store.view()).user_by_id(ann.id)


async def test_an_lsn_that_was_never_written_is_refused(instances):
    store = instances()
    _, _, lsn = await shared(store)
    with pytest.raises(InvalidInput):
        await store.view(lsn + 5)


async def test_an_invalidation_reaches_all_instances_and_the_base_is_fetched_once(instances, refresh, monkeypatch):
    refresh(0.3)
    ann, _, _ = await shared(instances())
    await folded()
    hosts = [await local(instances()) for _ in range(3)]
    fetched = []
    fetch_file = fetching.fetch_file

    async def counted(segment, file, folder):
        fetched.append((segment.name, file.name))
        await asyncio.sleep(0.05)
        await fetch_file(segment, file, folder)

    monkeypatch.setattr(fetching, "fetch_file", counted)
    assert await invalidate() == 1

    async def load(host):
        async with asyncio.timeout(30):
            while host.instance.loads < 2:
                assert await (await host.view()).user_by_id(ann.id)
                await asyncio.sleep(0.01)

    await asyncio.gather(*(load(host) for host in hosts for _ in range(3)))
    for host in hosts:
        found = await figures(host.instance)
        assert (found.epoch, found.local, found.loads) == (1, True, 2)
    # With the one that wrote there are four, and each asks at most once: no herd, whatever the load.
    assert max(fetched.count(one) for one in set(fetched)) <= len(hosts) + 1


async def test_figures_are_exact_before_and_after_a_fold(instances):
    store = instances()
    empty = await figures(store.instance)
    assert (empty.initialized, empty.users_count) == (False, 0)
    _, share, lsn = await shared(store)
    await store.view()
    found = await figures(store.instance)
    assert (found.users_count, found.shares_count, found.lsn, found.base_lsn) == (1, 1, lsn, 0)
    await folded()
    await local(store)
    await store.commit([registered("bob@example.com"), ShareRevoked(at=now(), id=share.id)])
    found = await figures(store.instance)
    assert (found.users_count, found.shares_count, found.users_with_shares) == (2, 0, 0)
    assert (found.tail_records, found.tail_rows) == (2, 2)
    assert [one.made_anew for one in found.folds] == [False, True]
    assert found.folds[0].lsn == found.base_lsn
    assert (found.hits + found.waits, found.refusals, found.rebuilds) == (3, 0, 0)
    assert found.cache_loaded_at is not None
    assert found.initialized


async def hangs(*_):
    """Storage that drops what it is asked without a word."""
    await asyncio.sleep(3600)


@pytest.fixture
async def cut_off(instances, refresh, monkeypatch):
    """An instance whose storage has fallen silent, a user that it knows, its LSN, and a clock that is set by hand."""

    async def made(stale):
        refresh(1, stale=stale)
        store = instances()
        ann, _, lsn = await shared(store)
        await store.view(lsn)
        store.instance._clock = clock = Clock()
        monkeypatch.setattr(instances_module, "LOOK_SECONDS", 0.1)
        monkeypatch.setattr(instances_module, "read_manifest", hangs)
        return store, ann, lsn, clock

    return made


async def test_who_waited_for_blobs_that_do_not_answer_is_refused_what_is_too_old_by_then(cut_off):
    store, _, _, clock = await cut_off(stale=30)
    clock.passed = 29.5  # within the limit when it is asked, and beyond it when the look has failed
    with pytest.raises(TransientError) as refused:
        await store.view()
    assert refused.value.retry_after


async def test_a_look_that_hangs_is_waited_for_once_and_then_answered_from_what_is_known(cut_off):
    store, ann, lsn, clock = await cut_off(stale=300)
    clock.passed = 5
    assert await (await store.view()).user_by_id(ann.id)
    looked = store.instance.waits
    for _ in range(20):
        assert await (await store.view()).user_by_id(ann.id)
    assert store.instance.waits == looked
    with pytest.raises(TransientError):
        await store.view(lsn + 1)  # what asks for more is refused, and not kept waiting
