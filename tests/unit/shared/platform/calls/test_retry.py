"""How long a call is tried again, and how long it waits in between."""

from __future__ import annotations

import pytest

from shared.platform.calls.retry import Backoff, Time, retry
from shared.platform.errors import Conflict, TransientError

BACKOFF = Backoff(limit=60, first_delay=2, longest_delay=10, longest_wait=30)


class Clock:
    """A clock that sleeping moves, and a jitter that cuts nothing off."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        self.time = Time(now=lambda: self.now, sleep=self.sleep, jitter=lambda: 1.0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Attempts:
    """Calls that raise these errors in turn, and then succeed."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.left: list[float] = []

    async def __call__(self, left: float) -> str:
        self.left.append(left)
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def away(retry_after: float | None = None) -> TransientError:
    return TransientError("The service is away.", retry_after=retry_after)


async def test_delays_double_up_to_the_longest_and_each_attempt_knows_what_is_left() -> None:
    clock, attempts = Clock(), Attempts(*(away() for _ in range(5)))
    assert await retry(attempts, BACKOFF, clock.time) == "done"
    assert clock.slept == [2, 4, 8, 10, 10]
    assert attempts.left == [60, 58, 54, 46, 36, 26]


async def test_jitter_cuts_a_delay_by_half_at_most() -> None:
    clock = Clock()
    await retry(Attempts(away()), BACKOFF, Time(now=lambda: clock.now, sleep=clock.sleep, jitter=lambda: 0.0))
    assert clock.slept == [1]


async def test_what_fails_for_longer_than_the_limit_is_given_up_with_its_last_error() -> None:
    clock, attempts = Clock(), Attempts(*(away() for _ in range(50)))
    with pytest.raises(TransientError, match="away"):
        await retry(attempts, BACKOFF, clock.time)
    assert sum(clock.slept) < BACKOFF.limit <= sum(clock.slept) + BACKOFF.longest_delay


async def test_a_service_is_waited_for_as_long_as_it_asks_and_no_longer_than_the_policy_allows() -> None:
    clock = Clock()
    assert await retry(Attempts(away(25)), BACKOFF, clock.time) == "done"
    assert clock.slept == [25]
    attempts = Attempts(away(31))
    with pytest.raises(TransientError):
        await retry(attempts, BACKOFF, clock.time)
    assert (clock.slept, len(attempts.left)) == ([25], 1)


async def test_no_other_error_is_tried_again() -> None:
    clock, attempts = Clock(), Attempts(Conflict("It is there already."))
    with pytest.raises(Conflict):
        await retry(attempts, BACKOFF, clock.time)
    assert (clock.slept, len(attempts.left)) == ([], 1)


async def test_an_attempt_that_waits_by_itself_is_called_at_once() -> None:
    clock, waited = Clock(), list[float]()

    async def elsewhere(_: TransientError, seconds: float) -> bool:
        waited.append(seconds)
        return True

    assert await retry(Attempts(away(), away(7)), BACKOFF, clock.time, waits_elsewhere=elsewhere) == "done"
    assert (clock.slept, waited) == ([], [2, 7])
