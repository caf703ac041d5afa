"""Who writes much to the log, by the groups that were read: so that instances can take turns."""

from __future__ import annotations

from collections.abc import Callable

MANY = 32
"""Records of a group whose writer is expected to write on."""
REMEMBERED_SECONDS = 4.0
"""For longer than all turns together take, also on a busy machine."""


class Writers:
    """The instances that wrote large groups lately, the one whose last is the oldest first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def wrote(self, writer: str, records: int) -> None:
        """It wrote the newest group."""
        if records < MANY:
            return  # it comes between others without a turn
        self._last.pop(writer, None)
        self._last[writer] = self._clock()

    def turns_before(self, name: str) -> int:
        """How many others are to write before that instance: those whose last group is older than its own.

        One that wrote nothing lately is known to nobody, and takes its turn by winning a race.
        """
        return len(self._before(name))

    def expect_nobody(self, name: str) -> None:
        """That instance has waited in vain for those whose turn comes before its own."""
        for other in self._before(name):
            del self._last[other]

    def _before(self, name: str) -> list[str]:
        oldest = self._clock() - REMEMBERED_SECONDS
        names = [one for one, at in self._last.items() if at > oldest]
        return names[: names.index(name)] if name in names else []
