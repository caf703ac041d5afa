"""Real processes that are killed with -9 in the middle of a sweep."""

import asyncio
import os
import random
import sys
from collections import Counter
from pathlib import Path

from shared.followups.sending import claims, outbox
from tests.present import present

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[5]
MAILS, KILLS, WORKERS = 60, 8, 2


async def start(environment):
    worker = await asyncio.create_subprocess_exec(
        sys.executable, WORKER, cwd=ROOT, stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert await asyncio.wait_for(present(worker.stdout).readline(), 60) == b"ready\n"
    return worker


async def test_workers_killed_in_the_middle_hand_nothing_over_twice_and_lose_nothing(crm, mails):
    found = await crm.due(await crm.agent(daily_cap=1000), MAILS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    chance = random.Random(20261130)
    workers = [await start(environment) for _ in range(WORKERS)]
    try:
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.0, 0.4))
            victim = workers.pop(chance.randrange(len(workers)))
            victim.kill()
            await victim.wait()
            await crm.pass_time(claims.LEASE_MINUTES)
            workers.append(await start(environment))
    finally:
        for worker in workers:
            worker.kill()
            await worker.wait()
    await crm.pass_time(claims.LEASE_MINUTES)
    given_up = await outbox.give_up_expired()
    await crm.sweep()
    received = Counter(mail.recipients[0] for mail in mails.mails(1000))
    states = await crm.states()
    assert set(received.values()) == {1}
    assert set(states) <= {"sent", "unknown"}
    assert states.get("unknown", 0) == len(given_up) <= KILLS + WORKERS
    assert states["sent"] <= len(received) <= MAILS == sum(states.values()) == len(found)
