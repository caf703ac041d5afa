"""Timers in the order in which they are due; one sleeper for all of them."""

import asyncio
import heapq
from collections.abc import Callable, Iterable
from datetime import datetime

from local.host.core.clock import Clock
from local.host.durable.model import dotnet
from local.host.durable.model.records import Timer


class TimerQueue:
    """Calls `fire` with the timers that are due, never before their time."""

    def __init__(self, clock: Clock, fire: Callable[[list[Timer]], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._sleeper: asyncio.Task[None] | None = None
        self._sleeps_until: datetime | None = None

    def add(self, timers: Iterable[Timer]) -> None:
        """Set timers; those already due fire in the loop's next round."""
        for timer in timers:
            heapq.heappush(self._heap, (dotnet.parse_time(timer.fire_at), timer.number, timer))
        self._arm()

    def stop(self) -> None:
        """Fire nothing more."""
        self._heap.clear()
        if self._sleeper is not None:
            self._sleeper.cancel()

    def _arm(self) -> None:
        if not self._heap or (self._sleeps_until is not None and self._sleeps_until <= self._heap[0][0]):
            return
        if self._sleeper is not None:
            self._sleeper.cancel()
        self._sleeps_until = self._heap[0][0]
        self._sleeper = asyncio.get_running_loop().create_task(self._sleep(self._sleeps_until))

    async def _sleep(self, until: datetime) -> None:
        await self._clock.sleep_until(until)
        self._sleeper = self._sleeps_until = None
        now = self._clock.now()
        due: list[Timer] = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        try:
            if due:
                self._fire(due)
        finally:
            self._arm()
