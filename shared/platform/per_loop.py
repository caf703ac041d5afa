"""One of something for each event loop: a client, a lock or a semaphore belongs to the loop that waits for it.

The worker has one loop; a test session has several.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Values by event loop. Each goes with its loop.

    Args:
        make: makes the value of a loop when it is first asked for.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def get(self) -> T:
        """The running loop's value."""
        loop = asyncio.get_running_loop()
        if loop not in self._values:
            self._values[loop] = self._make()
        return self._values[loop]

    def pop(self) -> T | None:
        """The running loop's value if it was made, for closing it; the next one asked for is made anew."""
        return self._values.pop(asyncio.get_running_loop(), None)

    def clear(self) -> None:
        """Forget the values of all loops."""
        self._values.clear()
