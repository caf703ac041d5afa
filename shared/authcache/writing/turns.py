"""Turns of instances that all write as much as they can.

Whoever loses a race has to read the winner's group before the next try, and so loses again. So an instance with much to
write keeps the log's end for a while, in which the others only read, and then leaves it to the one that has waited for
longest. Between two turns there is room for one whom the others do not know yet. A turn is advice, given in the group
itself: who has little to write takes none, who waits in vain goes on, and what two write at one LSN is decided by the
blobs alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from time import monotonic

from shared.authcache.reading.instance import AT_ONCE, Instance
from shared.authcache.reading.writers import MANY, ROUND_SECONDS
from shared.platform.errors import TransientError

_LONGEST_PAUSE_SECONDS = 0.1
_ROOM = 3
"""So many times as long as a group takes, nobody whom the others know writes when a turn begins."""
_PATIENCE = _ROOM + 5
"""So many times as long, silence is borne of the one whose turn it is."""
TURN_GROUPS = 4
"""Of a turn, at most. Longer turns write more a second, and let whoever is not in turn wait for longer."""


class Turns:
    """When one instance writes its groups.

    Attributes:
        pace: seconds that a group takes here, lately.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._ends_at = 0.0
        self._groups_left = 0
        self.pace = 0.005

    def took(self, seconds: float) -> None:
        """A group took so long to write."""
        self.pace += (seconds - self.pace) / 8

    async def wait(self, waiting: Callable[[], int]) -> None:
        """Read on until it is this instance's turn, or less than MANY records are `waiting`."""
        writers, name = self._instance.writers, self._instance.name
        heard, heard_at = self._instance.now().lsn, monotonic()
        room_left = False
        while waiting() >= MANY and writers.knows(name):
            seconds = writers.wait_of(name)
            if seconds is None:
                if self._groups_left or room_left:
                    return
                pause, room_left = _ROOM * self.pace, True
            else:
                pause, room_left = min(max(seconds / 2, self.pace / 2), _LONGEST_PAUSE_SECONDS), False
                self._groups_left = 0
            await asyncio.sleep(pause)
            with suppress(TransientError):  # the write that follows says so
                while await self._instance.read_next(min(ceil(pause / self.pace), AT_ONCE)):
                    pass
            if (known := self._instance.now().lsn) > heard:
                heard, heard_at = known, monotonic()
            elif monotonic() - heard_at > _PATIENCE * self.pace + pause:
                writers.expect_nobody(name)

    def hold(self, records: int) -> float:
        """For about how many seconds this instance goes on after a group of so many records; 0: its turn is over."""
        if records < MANY:
            return 0.0
        now = monotonic()
        if not self._groups_left:
            others = self._instance.writers.others(self._instance.name)
            self._groups_left, self._ends_at = TURN_GROUPS, now + ROUND_SECONDS / (others + 1)
        self._groups_left -= 1
        left = min(self._ends_at - now, self._groups_left * self.pace)
        if left <= 0:
            self._groups_left = 0
        return max(left, 0.0)
