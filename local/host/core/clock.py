"""The one source of time for everything on the host that waits: timers, durable timers, retries, polling."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

_LONGEST_NAP_SECONDS = 30.0


class Clock(Protocol):
    """Time as the host sees it: the machine's, or one that a test moves."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...

    async def sleep_until(self, when: datetime) -> None:
        """Return as soon as `now() >= when`; at once when that is already so."""
        ...


class SystemClock:
    """The machine's clock. A laptop that slept wakes its sleepers within half a minute of the wall clock's time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, when: datetime) -> None:
        """Return as soon as `now() >= when`; naps, since the loop's own clock stands still while a machine sleeps."""
        while (left := (when - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - nothing but time is waited for
            await asyncio.sleep(min(left, _LONGEST_NAP_SECONDS))


class ManualClock:
    """A clock that stands still until a test moves it; may be moved from any thread."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = (start or datetime.now(UTC)).astimezone(UTC)
        self._lock = threading.Lock()
        self._sleepers: dict[asyncio.Future[None], datetime] = {}

    def now(self) -> datetime:
        """The time that the test set, aware, in UTC."""
        return self._now

    async def sleep_until(self, when: datetime) -> None:
        """Return once the clock has been moved to `when` or past it; at once when it stands there already."""
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            if when <= self._now:
                return
            self._sleepers[future] = when
        try:
            await future
        finally:
            with self._lock:
                self._sleepers.pop(future, None)

    def next_wake(self) -> datetime | None:
        """When the first sleeper is due; None when nothing waits."""
        with self._lock:
            return min(self._sleepers.values(), default=None)

    def advance(self, seconds: float) -> None:
        """Move the clock on by `seconds` (never back) and wake everything due."""
        self.move_to(self._now + timedelta(seconds=seconds))

    def move_to(self, when: datetime) -> None:
        """Move the clock to `when` and wake everything due. Raises ValueError when that lies in the past."""
        with self._lock:
            if when < self._now:
                raise ValueError(f"A clock cannot be moved back: it stands at {self._now}, asked was {when}.")
            self._now = when
            due = [future for future, wake in self._sleepers.items() if wake <= when]
            for future in due:
                del self._sleepers[future]
        for future in due:
            future.get_loop().call_soon_threadsafe(_wake, future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
