"""What an operator asks for of the cache while a fold runs, and what the route of its health says."""

from shared.authcache.base.repair import rebuild_wanted, sync_wanted
from shared.authcache.folding.steps import FoldRequest
from shared.authcache.store import store
from tests.integration.shared.authcache.conftest import folded, registered
from triggers.authcache.health import SyncQuery, authcache_health, authcache_invalidate, authcache_sync_now
from triggers.authcache.upkeep import sweep


async def test_a_sync_that_is_asked_for_during_a_fold_is_queued_once(host, client):
    await store().commit([registered("ann@example.com")])
    await folded()
    assert not await sweep.due(client)
    host.running = True
    for _ in range(3):
        await sync(client)
    assert host.started == []
    assert await sync_wanted()
    assert await sweep.due(client)
    await sweep.run(client)  # the fold has not ended: it stays queued
    assert await sync_wanted()
    host.running = False
    await sweep.run(client)
    assert host.started == [FoldRequest(sync=True)]
    assert not await sync_wanted()
    assert not await sweep.due(client)


async def test_a_rebuild_that_is_asked_for_during_a_fold_is_queued_too(host, client):
    await store().commit([registered("ann@example.com")])
    await folded()
    host.running = True
    await sync(client, rebuild=True)
    assert await rebuild_wanted()
    summary = await folded()
    assert summary.synced is not None
    assert not await rebuild_wanted()


async def test_the_health_of_a_cache_is_empty_without_users_and_then_healthy(host):
    reply = await authcache_health()
    assert (reply.status, reply.body.status, reply.body.cache.initialized) == (200, "empty", True)
    await store().commit([registered("ann@example.com")])
    reply = await authcache_health()
    assert (reply.body.status, reply.body.cache.users_count, reply.body.cache.tail_records) == ("healthy", 1, 1)


async def test_each_invalidation_has_an_epoch_of_its_own_and_starts_a_fold(host, client):
    await store().commit([registered("ann@example.com")])
    await folded()
    assert [(await authcache_invalidate(client=client)).epoch for _ in range(2)] == [1, 2]
    assert host.started == [FoldRequest(sync=True)] * 2


async def sync(client, *, rebuild=False):
    await authcache_sync_now(query=SyncQuery(rebuild=rebuild), client=client)
