"""When the log is folded, and when Iceberg is looked at."""

from shared.authcache.base.repair import rebuild_wanted, sync_wanted
from shared.authcache.folding.due import EARLY_FOLD_RECORDS
from shared.authcache.folding.steps import FoldRequest
from shared.authcache.store import store
from tests.integration.shared.authcache.conftest import folded, local, registered
from triggers.authcache.health import SyncQuery, authcache_sync_now
from triggers.authcache.upkeep import fold_if_long, sweep, written

SOME = 250


async def test_a_fold_begins_at_a_thousand_records_and_once_for_each_base(host, client):
    for number in range(0, EARLY_FOLD_RECORDS, SOME):
        await store().view()
        assert not host.started
        await store().commit([registered(f"user{number + one}@example.com") for one in range(SOME)])
        await fold_if_long(client)
    assert host.started == [FoldRequest()]
    await store().commit([registered("ann@example.com")])
    await fold_if_long(client)
    assert len(host.started) == 1
    await folded()
    await local(store())
    await store().commit([registered(f"later{number}@example.com") for number in range(EARLY_FOLD_RECORDS)])
    await fold_if_long(client)
    assert len(host.started) == 2


async def test_whichever_route_wrote_its_answer_begins_the_fold_that_is_due(host, client):
    lsn = 0
    for number in range(0, EARLY_FOLD_RECORDS, SOME):
        lsn = await store().commit([registered(f"user{number + one}@example.com") for one in range(SOME)])
    reply = await written(client, None, lsn, 204)
    assert (reply.status, reply.headers["X-Lsn"]) == (204, str(lsn))
    assert host.started == [FoldRequest()]


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


async def sync(client, *, rebuild=False):
    await authcache_sync_now(query=SyncQuery(rebuild=rebuild), client=client)
