"""When a log that has grown long is folded before the minute."""

from shared.authcache.folding.due import EARLY_FOLD_RECORDS
from shared.authcache.folding.steps import FoldRequest
from shared.authcache.store import store
from tests.integration.shared.authcache.conftest import folded, local, registered
from triggers.authcache.upkeep import fold_if_long, written

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
