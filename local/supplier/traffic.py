"""How many requests came, how many of them in one second at most, and the limit that the account has."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_SECONDS = 1.0


@dataclass
class Traffic:
    """Requests of the account, counted over any span of one second and not from tick to tick."""

    limit: float = 0
    """Requests that any one second may hold; 0: any number."""
    clock: Callable[[], float] = time.monotonic
    total: int = 0
    refused: int = 0
    peak: int = 0
    started: float | None = None
    latest: float | None = None
    by_operation: Counter[str] = field(default_factory=Counter[str])
    _arrivals: deque[float] = field(default_factory=deque[float])
    _admitted: deque[float] = field(default_factory=deque[float])

    def arrive(self) -> float:
        """Note a request; return 0 if it may pass, or the seconds after which it would."""
        now = self.clock()
        self.total += 1
        self.started = now if self.started is None else self.started
        self.latest = now
        _slide(self._arrivals, now).append(now)
        self.peak = max(self.peak, len(self._arrivals))
        if self.limit and len(_slide(self._admitted, now)) >= self.limit:
            self.refused += 1
            return self._admitted[0] + WINDOW_SECONDS - now
        self._admitted.append(now)
        return 0.0

    def reset(self) -> None:
        """Begin the figures anew; what the limit has admitted in this second still counts."""
        self.total = self.refused = self.peak = 0
        self.started = self.latest = None
        self.by_operation.clear()
        self._arrivals.clear()

    def report(self) -> dict[str, object]:
        """The figures as JSON; `seconds` lie between the first and the latest request."""
        seconds = (self.latest or 0.0) - (self.started or 0.0)
        return {
            "requests": self.total,
            "refused": self.refused,
            "peak_per_second": self.peak,
            "seconds": round(seconds, 3),
            "by_operation": dict(self.by_operation),
        }


def _slide(times: deque[float], now: float) -> deque[float]:
    """Drop what is a second old or older, by the sum that also tells the wait: a difference may round otherwise."""
    while times and times[0] + WINDOW_SECONDS <= now:
        times.popleft()
    return times
