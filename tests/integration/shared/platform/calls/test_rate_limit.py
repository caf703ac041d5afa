"""One pace for several processes, measured where the requests arrive."""

import asyncio
import os
import socket
import struct
import subprocess
import sys
from bisect import bisect_left
from time import monotonic

import pytest

from shared.platform.calls.rate_limit import SharedRateLimit, rate_limit
from shared.platform.errors import TransientError
from shared.platform.stores.postgres import database

LIMIT, PROCESSES, TASKS, REQUESTS = 25, 3, 4, 8

# One host instance: several activities at a time, each sending requests one after the other.
INSTANCE = """
import asyncio, socket, sys
from shared.platform.stores.postgres import close_pools
from shared.platform.calls.rate_limit import rate_limit

port, limit, tasks, requests = map(int, sys.argv[1:])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.connect(("127.0.0.1", port))

async def activity():
    for _ in range(requests):
        await rate_limit("vendor", limit).turn(60)
        server.send(b"request")

async def main():
    await asyncio.gather(*(activity() for _ in range(tasks)))
    await close_pools()

asyncio.run(main())
"""

SO_TIMESTAMPNS = 35  # Linux: the kernel notes when a datagram arrived, however late this process reads it


def arrivals(server: socket.socket, count: int) -> list[float]:
    times = []
    for _ in range(count):
        _, notes, _, _ = server.recvmsg(64, socket.CMSG_SPACE(16))
        seconds, nanoseconds = struct.unpack("qq", notes[0][2])
        times.append(seconds + nanoseconds / 1e9)
    return sorted(times)


def most_in_a_second(times: list[float]) -> int:
    return max(bisect_left(times, first + 1) - number for number, first in enumerate(times))


def test_no_second_sees_more_than_the_limit(migrated: str):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        server.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        arguments = [str(n) for n in (server.getsockname()[1], LIMIT, TASKS, REQUESTS)]
        instances = [
            subprocess.Popen([sys.executable, "-c", INSTANCE, *arguments], env={**os.environ, "POSTGRES_DSN": migrated})
            for _ in range(PROCESSES)
        ]
        times = arrivals(server, PROCESSES * TASKS * REQUESTS)
        assert [instance.wait(30) for instance in instances] == [0] * PROCESSES
    assert most_in_a_second(times) <= LIMIT


async def test_a_pause_holds_every_process(migrated: str):
    await rate_limit("vendor", 1_000).turn(1)
    elsewhere = SharedRateLimit("vendor", 1_000)  # as another process would have it
    started = monotonic()
    await elsewhere.pause(0.4)
    await asyncio.gather(*(rate_limit("vendor", 1_000).turn(1) for _ in range(3)))
    assert monotonic() - started >= 0.4


async def test_a_pause_is_never_shortened_by_another(migrated: str):
    limit = rate_limit("vendor", 1_000)
    await limit.pause(300)
    await limit.pause(1)
    with pytest.raises(TransientError) as raised:
        await limit.turn(60)
    assert raised.value.code == "account-paused"
    assert raised.value.retry_after
    assert 290 < raised.value.retry_after <= 300


async def test_an_account_paused_for_longer_than_its_callers_wait_loses_no_turn_to_them(migrated: str):
    limit = rate_limit("vendor", 1)
    await limit.pause(300)
    for _ in range(50):
        with pytest.raises(TransientError):
            await limit.turn(1)
    async with database() as db:
        row = await (await db.execute("select next_free - now() < '301 s' from platform.rate_limits")).fetchone()
    assert row == (True,)


async def test_a_pause_of_an_absurd_length_is_an_hour(migrated: str):
    limit = rate_limit("vendor", 1)
    await limit.pause(1e12)
    with pytest.raises(TransientError) as raised:
        await limit.turn(1)
    assert raised.value.retry_after
    assert raised.value.retry_after <= 3_600


async def test_accounts_do_not_wait_for_each_other(migrated: str):
    await rate_limit("one", 25).pause(300)
    await rate_limit("two", 25).turn(1)


async def test_a_turn_that_is_missed_is_given_up(migrated: str, monkeypatch: pytest.MonkeyPatch):
    """Sent late, its request would arrive together with those of later turns."""
    limit = rate_limit("vendor", 100)
    taken, lateness = [], [1]
    take = SharedRateLimit._take

    async def noted(self: SharedRateLimit, max_wait_seconds: float) -> tuple[float, float]:
        taken.append(await take(self, max_wait_seconds))
        return taken[-1]

    sleep = asyncio.sleep

    async def oversleep(seconds: float) -> None:
        await sleep(seconds + (lateness.pop() if lateness else 0))

    monkeypatch.setattr(SharedRateLimit, "_take", noted)
    monkeypatch.setattr("shared.platform.calls.rate_limit.asyncio.sleep", oversleep)
    await limit.turn(1)
    assert len(taken) == 2
