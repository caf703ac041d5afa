"""Instances that write again and again: each has its turn, and one that dies in it is waited for shortly."""

import asyncio
from itertools import count

from shared.authcache.log.groups import read_group
from shared.authcache.reading.writers import MANY
from tests.integration.shared.authcache.conftest import registered

EACH = 6
MOST = 10 * EACH
"""Groups of who began first, until the others are known and have written theirs."""
PATIENCE = 60
"""Seconds that a loaded machine may take."""


def many(store):
    """What is many to write at once."""
    name = store.instance.name
    return [registered(f"{name}-{next(numbers)}@example.com") for _ in range(MANY)]


numbers = count()


async def busy(store, done, enough):
    """Write much, again and again, until `enough` is set."""
    while not enough.is_set():
        await store.commit(many(store))
        done[store.instance.name] += 1
        if all(number >= EACH for number in done.values()):
            enough.set()


async def test_each_of_three_has_its_turn(instances):
    stores = [instances() for _ in range(3)]
    done, enough = {store.instance.name: 0 for store in stores}, asyncio.Event()
    async with asyncio.timeout(2 * PATIENCE):
        await asyncio.gather(*(busy(store, done, enough) for store in stores))
    await stores[0].instance.refresh()
    last = stores[0].instance.now().lsn
    written = [await read_group(lsn) for lsn in range(1, last + 1)]
    assert sum(len(group.records) for group in written if group) == sum(done.values()) * MANY
    assert max(done.values()) <= MOST


async def test_who_dies_in_its_turn_is_not_waited_for(instances):
    here, there = instances(), instances()
    await here.commit(many(here))
    await there.commit(many(there))
    await here.instance.refresh()
    await here.commit(many(here))
    assert here.instance.writers.turns_before(here.instance.name) == 1  # the other one is expected to write
    async with asyncio.timeout(PATIENCE):
        await here.commit(many(here))


async def test_who_has_little_to_write_waits_for_nobodys_turn(instances):
    here, there = instances(), instances()
    await there.commit(many(there))
    await here.commit(many(here))
    done, enough = {here.instance.name: -EACH}, asyncio.Event()
    writing = asyncio.create_task(busy(here, done, enough))
    async with asyncio.timeout(PATIENCE):
        for number in range(3):
            await there.commit([registered(f"few-{number}@example.com")])
    enough.set()
    await writing


async def test_who_writes_little_without_a_pause_keeps_nobody_from_writing(instances):
    quick, *slow = [instances() for _ in range(3)]
    groups, ended = count(), asyncio.Event()

    async def one_after_the_other():
        while not ended.is_set():
            await quick.commit([registered(f"quick-{next(groups)}@example.com")])

    async def much(store):
        for _ in range(EACH):
            await store.commit(many(store))

    writing = [asyncio.create_task(one_after_the_other()) for _ in range(2)]  # so that one always waits
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(much(store) for store in slow))
    ended.set()
    await asyncio.gather(*writing)
    assert next(groups) <= MOST
