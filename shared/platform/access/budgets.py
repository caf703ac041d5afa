"""How much of something each key may have at once, and how soon it may have more."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

MOST_REMEMBERED: Final = 10_000
"""Keys that are remembered; those that were used longest ago are forgotten first."""


@dataclass(slots=True)
class Budget:
    """When each key will have its whole burst again (the generic cell rate algorithm), in this process.

    Attributes:
        burst: how many a key may have at once.
        gap: seconds after which it may have one more.
    """

    burst: int
    gap: float
    clock: Callable[[], float] = monotonic
    full_at: OrderedDict[str, float] = field(default_factory=OrderedDict[str, float])

    def wait(self, key: str) -> float:
        """Seconds until the key may have one; 0 or less: now."""
        return self.full_at.get(key, 0) - self.clock() - (self.burst - 1) * self.gap

    def count(self, key: str) -> None:
        """The key has had one."""
        self.full_at[key] = max(self.full_at.get(key, 0), self.clock()) + self.gap
        self.full_at.move_to_end(key)
        if len(self.full_at) > MOST_REMEMBERED:
            self.full_at.popitem(last=False)

    def give_back(self, key: str) -> None:
        """The key has not had the last one after all."""
        full_at = self.full_at.get(key, 0) - self.gap
        if full_at > self.clock():
            self.full_at[key] = full_at
        else:
            self.full_at.pop(key, None)
