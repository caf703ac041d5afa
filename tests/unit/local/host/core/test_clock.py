import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from local.host.core.clock import ManualClock, SystemClock

START = datetime(2026, 1, 1, tzinfo=UTC)


async def test_manual_clock_wakes_only_what_is_due():
    clock = ManualClock(START)
    early = asyncio.ensure_future(clock.sleep_until(START + timedelta(seconds=5)))
    late = asyncio.ensure_future(clock.sleep_until(START + timedelta(seconds=50)))
    await asyncio.sleep(0)
    assert clock.next_wake() == START + timedelta(seconds=5)
    clock.advance(5)
    await early
    assert not late.done()
    clock.advance(100)
    await late
    assert clock.next_wake() is None


async def test_manual_clock_can_be_moved_from_another_thread():
    clock = ManualClock(START)
    sleeper = asyncio.ensure_future(clock.sleep_until(START + timedelta(hours=1)))
    await asyncio.sleep(0)
    await asyncio.to_thread(clock.advance, 3600)
    await asyncio.wait_for(sleeper, 5)


async def test_a_cancelled_sleeper_is_forgotten():
    clock = ManualClock(START)
    sleeper = asyncio.ensure_future(clock.sleep_until(START + timedelta(hours=1)))
    await asyncio.sleep(0)
    sleeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeper
    assert clock.next_wake() is None


def test_a_clock_never_goes_back():
    with pytest.raises(ValueError, match="cannot be moved back"):
        ManualClock(START).advance(-1)


async def test_system_clock_returns_at_once_for_the_past_and_never_early():
    clock = SystemClock()
    await asyncio.wait_for(clock.sleep_until(clock.now() - timedelta(days=1)), 1)
    when = clock.now() + timedelta(milliseconds=30)
    await clock.sleep_until(when)
    assert clock.now() >= when
