"""An instance that writes while it reads takes in each group of the log once, and at the place where it stands."""

import asyncio
import random

from shared.authcache.log import groups
from shared.authcache.reading import instance
from shared.authcache.tables import USERS
from tests.integration.shared.authcache.conftest import registered

WRITERS, EACH = 6, 20


async def test_defect_a_group_that_is_read_while_another_is_written_is_not_taken_for_the_next(instances, monkeypatch):
    chance = random.Random(1)

    async def slow_read(lsn):
        found = await groups.read_group(lsn)
        await asyncio.sleep(chance.random() * 0.02)
        return found

    monkeypatch.setattr(instance, "read_group", slow_read)
    stores = [instances(), instances()]

    async def write(number):
        own, other = stores[number % 2], stores[1 - number % 2]
        for one in range(EACH):
            record = registered(f"u{number}-{one}@example.com")
            lsn = await own.commit([record])
            for store in (own, other):
                view = await store.view(lsn)
                assert view.lsn >= lsn
                assert await view.get(USERS, record.id), f"{record.id} is not there at {lsn}"

    await asyncio.gather(*(write(number) for number in range(WRITERS)))
