"""Turns of instances that write again and again.

Whoever loses a race has to read the winner's group before the next try, and so loses again, also to one that writes a
record at a time without a pause. So those who write much do it one after the other, a group each, and read meanwhile;
whoever has just written lets them go first; and who writes without a pause leaves room now and then for one whom nobody
knows yet. A turn is advice, known from the groups themselves: who comes after a while takes none, who waits in vain
goes on, and what two write at one LSN is decided by the blobs alone.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic

from shared.authcache.reading.instance import Instance
from shared.platform.errors import TransientError

_LONGEST_SILENCE = 8
"""So many times as long as a group takes, silence is borne of the one whose turn it is."""
_EARLY = 0.9
"""Of the time that the turns before take, for which nothing is looked at: each look costs all of them some."""
_ROOM_EVERY = 20
"""Groups of one instance without a pause, after which it leaves room."""
_ROOM = 3
"""So many times as long as a group takes: another one reads the last group in it, and writes its own."""
_SHORTEST_SILENCE, _SHORTEST_ROOM = 0.04, 0.02
"""Seconds, since the groups of others may be larger than those by which an instance knows what one takes."""


class Turns:
    """When one instance writes its groups.

    Attributes:
        pace: seconds that a group takes here, lately.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.pace = 0.005
        self._groups_since_room = 0
        self._wrote_at = monotonic()

    def took(self, seconds: float) -> None:
        """A group took so long to write."""
        self._groups_since_room += 1
        self._wrote_at = monotonic()
        self.pace += (seconds - self.pace) / 8

    async def wait(self) -> None:
        """Read on until it is this instance's turn."""
        writers, name = self._instance.writers, self._instance.name
        room = max(_ROOM * self.pace, _SHORTEST_ROOM)
        if monotonic() - self._wrote_at > room:
            self._groups_since_room = 0
        elif self._groups_since_room >= _ROOM_EVERY:
            self._groups_since_room = 0
            await self._read_on(room)
        pause = _EARLY * self.pace * writers.turns_before(name)
        last_turns, last_at = 0, monotonic()
        while turns := writers.turns_before(name):
            await asyncio.sleep(pause)
            pause = self.pace / 8
            with suppress(TransientError):  # the write that follows says so
                await self._instance.read_next(turns)
            if turns != last_turns:  # those who wrote meanwhile without a turn are not whom it waits for
                last_turns, last_at = turns, monotonic()
            elif monotonic() - last_at > max(_LONGEST_SILENCE * self.pace, _SHORTEST_SILENCE):
                writers.expect_nobody(name)

    async def _read_on(self, pause: float) -> None:
        await asyncio.sleep(pause)
        with suppress(TransientError):  # as above
            while await self._instance.read_next(1):
                pass
