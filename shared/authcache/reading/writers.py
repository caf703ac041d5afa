"""Who writes to the log, and who of them much, by the groups that were read: so that instances can take turns."""

from __future__ import annotations

from collections.abc import Callable

MANY = 8
"""Records of a group whose writer is expected to write on."""
REMEMBERED_SECONDS = 4.0
"""For longer than all turns together take, also on a busy machine."""


class Writers:
    """The instances that wrote lately, the one whose last group is the oldest first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}
        self._expected: set[str] = set()

    def wrote(self, writer: str, records: int) -> None:
        """It wrote the newest group, of so many records; with MANY it is expected to write on."""
        self._last.pop(writer, None)
        self._last[writer] = self._clock()
        (self._expected.add if records >= MANY else self._expected.discard)(writer)

    def turns_before(self, name: str) -> int:
        """How many others are to write before that instance: those expected whose last group is older than its own.

        One that wrote nothing lately is known to nobody, and takes its turn by winning a race.
        """
        return len(self._before(name))

    def expect_nobody(self, name: str) -> None:
        """That instance has waited in vain for those whose turn comes before its own."""
        self._expected.difference_update(self._before(name))

    def _before(self, name: str) -> list[str]:
        oldest = self._clock() - REMEMBERED_SECONDS
        lately = [one for one, at in self._last.items() if at > oldest]
        before = lately[: lately.index(name)] if name in lately else []
        return [one for one in before if one in self._expected]
