"""Retrying a call to another service within one activity: growing random delays, or as long as the service asks for.

What fails for longer than the policy allows is left to the orchestration's own retries, which cost nothing.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from shared.platform.errors import TransientError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Time:
    """The clock, the sleep and the jitter of a retry; tests replace them."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Backoff:
    """How a call is retried. All values are seconds.

    Attributes:
        limit: how long a call may go on failing.
        first_delay: before the second attempt; doubled each time, and cut by up to half at random.
        longest_delay: what the delay grows to.
        longest_wait: a service that asks for a longer wait is not waited for.
    """

    limit: float
    first_delay: float
    longest_delay: float
    longest_wait: float = inf


async def _sleep_here(error: TransientError, seconds: float) -> bool:  # noqa: ARG001 - the default of `waits_elsewhere`
    return False


async def retry(
    attempt: Callable[[float], Awaitable[T]],
    backoff: Backoff,
    timing: Time,
    *,
    waits_elsewhere: Callable[[TransientError, float], Awaitable[bool]] = _sleep_here,
) -> T:
    """Call `attempt` until it succeeds. It gets the seconds that are left, and is called again after TransientErrors.

    `waits_elsewhere` is called with each error and the seconds until the next attempt; true means that the attempt
    itself will wait, as one does that takes its turn at a rate limit which has been paused.

    Raises:
        TransientError: the last one, when the calls have failed for `backoff.limit` seconds or the service asks for a
            longer wait than the policy allows.
    """
    give_up_at: float | None = None
    delay = backoff.first_delay
    while True:
        try:
            return await attempt(backoff.limit if give_up_at is None else give_up_at - timing.now())
        except TransientError as error:
            now = timing.now()
            give_up_at = now + backoff.limit if give_up_at is None else give_up_at
            wait = delay * (0.5 + timing.jitter() / 2) if error.retry_after is None else error.retry_after
            delay = min(delay * 2, backoff.longest_delay)
            elsewhere = await waits_elsewhere(error, wait)
            if wait > backoff.longest_wait or now + wait >= give_up_at:
                raise
            if not elsewhere:
                await timing.sleep(wait)
