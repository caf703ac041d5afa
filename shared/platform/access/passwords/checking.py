"""Hashes and checks passwords off the event loop, no more at once than the machine has cores.

So at most cores x 19 MiB are in use, and everything else goes on being answered. Whoever would have to wait for longer
than WAIT_SECONDS is sent away with the time to come back after.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Final, TypeVar

from shared.platform.access.passwords import kinds
from shared.platform.access.passwords.kinds import CURRENT, Cost
from shared.platform.errors import InvalidInput, TransientError
from shared.platform.per_loop import PerLoop

WAIT_SECONDS: Final = 1.5
"""After which a request that waits for its turn is refused: half a second is left of the two that a caller waits."""
RETRY_SECONDS: Final = 2.0
CORES: Final = os.cpu_count() or 1

T = TypeVar("T")

_turns = PerLoop(lambda: asyncio.Semaphore(CORES))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CORES, thread_name_prefix="password")


async def hashed(password: str) -> str:
    """What to store of a new password, all of it: argon2id cuts nothing off.

    Raises:
        TransientError: too many passwords are being checked at the moment; `retry_after` says when to come back.
    """
    return await _in_turn(partial(kinds.new_hash, password))


async def matches(password: str, stored: str) -> bool:
    """Whether it is the stored password. A hash that cannot be used matches none, in the time of a current one.

    Raises:
        TransientError: as `hashed`.
    """
    try:
        cost = kinds.cost_of(stored)
    except InvalidInput:
        cost, stored = CURRENT, kinds.never_matching(CURRENT)
    return await _in_turn(partial(kinds.verify, cost, password, stored))


def is_current(stored: str) -> bool:
    """Whether a new hash would be of the same kind and cost; else make one at the next sign-in."""
    try:
        return kinds.cost_of(stored) == CURRENT
    except InvalidInput:
        return False


async def _in_turn(work: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    turns = _turns.get()
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await turns.acquire()
    except TimeoutError:
        raise TransientError(
            "Too many passwords are being checked at the moment.",
            code="busy",
            retry_after=RETRY_SECONDS,
            remedy="Try again after the seconds that Retry-After says.",
        ) from None
    try:
        return await loop.run_in_executor(_threads(), work)
    finally:
        turns.release()


__all__ = ["CURRENT", "Cost", "hashed", "is_current", "matches"]
