"""Real processes that are killed with -9 in the middle of a sweep."""

import asyncio
import random
from collections import Counter

from local.killable import KillableService
from shared.followups.sending import claims, outbox

MAILS, KILLS, WORKERS = 60, 8, 2
MAILS_OF_A_LIFE = 5


def start():
    """A host that does nothing but sweep, in a process of its own with this one's settings."""
    worker = KillableService(["tests.integration.shared.followups.sending.worker"])
    worker.start()
    return worker


async def test_workers_killed_in_the_middle_hand_nothing_over_twice_and_lose_nothing(crm, mails, monkeypatch):
    found = await crm.due(await crm.agent(daily_cap=1000), MAILS)
    chance, room, full, keep = random.Random(20261130), asyncio.Semaphore(0), asyncio.Event(), mails.handle_DATA

    async def while_there_is_room(*arguments):
        if room.locked():
            full.set()
        await room.acquire()
        return await keep(*arguments)

    # The relay takes few mails in each life and lets the next wait: each kill finds mails that are left.
    monkeypatch.setattr(mails, "handle_DATA", while_there_is_room)
    workers = [await asyncio.to_thread(start) for _ in range(WORKERS)]
    try:
        for _ in range(KILLS):
            for _ in range(MAILS_OF_A_LIFE):
                room.release()
            full.clear()
            await asyncio.wait_for(full.wait(), 60)
            await asyncio.sleep(chance.uniform(0.0, 0.1))
            await asyncio.to_thread(workers.pop(chance.randrange(len(workers))).kill)
            assert len(mails.mails(1000)) < MAILS
            await crm.pass_time(claims.LEASE_MINUTES)
            workers.append(await asyncio.to_thread(start))
    finally:
        for worker in workers:
            worker.kill()
    for _ in range(2 * MAILS):
        room.release()
    await crm.pass_time(claims.LEASE_MINUTES)
    given_up = await outbox.give_up_expired()
    await crm.sweep()
    received = Counter(mail.recipients[0] for mail in mails.mails(1000))
    states = await crm.states()
    assert set(received.values()) == {1}
    assert set(states) <= {"sent", "unknown"}
    assert 0 < states.get("unknown", 0) == len(given_up) <= KILLS + WORKERS
    assert states["sent"] <= len(received) <= MAILS == sum(states.values()) == len(found)
