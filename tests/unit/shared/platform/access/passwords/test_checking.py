"""Passwords are checked off the event loop, so many at once as there are cores, and the rest is sent away."""

import asyncio
import threading
import time
from collections.abc import Generator

import pytest

from shared.platform.access.passwords import checking, kinds
from shared.platform.access.passwords.kinds import CURRENT, Cost, never_matching
from shared.platform.errors import TransientError


class Slow:
    """Checks that last until they are let go, and how many there were at once."""

    def __init__(self) -> None:
        self.done, self.full = threading.Event(), threading.Event()
        self.lock = threading.Lock()
        self.now = self.most = self.all = 0

    def verify(self, *_: object) -> bool:
        with self.lock:
            self.now, self.all = self.now + 1, self.all + 1
            self.most = max(self.most, self.now)
            if self.now == checking.CORES:
                self.full.set()
        self.done.wait(20)
        with self.lock:
            self.now -= 1
        return True


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Generator[Slow]:
    slow = Slow()
    monkeypatch.setattr(kinds, "verify", slow.verify)
    yield slow
    slow.done.set()


async def test_of_a_hundred_at_once_as_many_run_as_there_are_cores_and_the_loop_goes_on(
    slow: Slow, monkeypatch
) -> None:
    monkeypatch.setattr(checking, "WAIT_SECONDS", 0.2)
    stored = never_matching(CURRENT)
    logins = [asyncio.create_task(checking.matches("x", stored)) for _ in range(100)]
    assert await asyncio.to_thread(slow.full.wait, 20)
    turned = time.monotonic()
    await asyncio.sleep(0)
    assert time.monotonic() - turned < 1, "the loop waits for a check"
    _, waiting = await asyncio.wait(logins, timeout=5)
    refused = await asyncio.gather(*(login for login in logins if login.done()), return_exceptions=True)
    assert len(refused) == 100 - checking.CORES == 100 - len(waiting)
    assert all(isinstance(error, TransientError) and error.retry_after == 2 for error in refused)
    slow.done.set()
    assert [await login for login in waiting] == [True] * checking.CORES
    assert (slow.most, slow.all) == (checking.CORES, checking.CORES)


async def test_who_waits_within_the_time_gets_a_turn(slow: Slow) -> None:
    logins = [asyncio.create_task(checking.matches("x", never_matching(CURRENT))) for _ in range(3 * checking.CORES)]
    await asyncio.sleep(0.05)
    slow.done.set()
    assert all(await asyncio.gather(*logins))
    assert slow.most == checking.CORES


async def test_a_stored_hash_of_a_gibibyte_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Cost] = []
    monkeypatch.setattr(kinds, "verify", lambda cost, *_: checked.append(cost) or False)
    assert not await checking.matches("x", "$argon2id$v=19$m=1048576,t=2,p=1$" + "A" * 22 + "$" + "A" * 43)
    assert checked == [CURRENT]


async def test_a_new_password_of_100_bytes_is_kept_whole() -> None:
    stored = await checking.hashed("p" * 100)
    assert await checking.matches("p" * 100, stored)
    assert not await checking.matches("p" * 99, stored)
    assert checking.is_current(stored)
    assert not checking.is_current("$2b$04$" + "." * 53)
    assert not checking.is_current("")
