"""Who writes much to the log, by the groups that were read: so that instances can take turns."""

from __future__ import annotations

from collections.abc import Callable

MANY = 32
"""Records of a group whose writer is expected to write on."""
ROUND_SECONDS = 2.0
"""The turns of all who write much, together, at most."""
_REMEMBERED_SECONDS = 2 * ROUND_SECONDS
"""For longer than a round takes, also where not all know of all."""


class Writers:
    """The instances that wrote large groups lately, the one whose last is the oldest first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}
        self._holder = ""
        self._held_until = 0.0

    def wrote(self, writer: str, records: int, hold: float) -> None:
        """It wrote the newest group, and goes on for `hold` seconds."""
        if records < MANY:
            return  # it comes between others without a turn
        self._last.pop(writer, None)
        self._last[writer] = self._clock()
        self._holder, self._held_until = writer, self._clock() + min(hold, ROUND_SECONDS)

    def wait_of(self, name: str) -> float | None:
        """For how many seconds it is surely not the turn of that instance; None: it is.

        One that wrote nothing lately is known to nobody, and takes its turn by winning a race.
        """
        if not self.knows(name):
            return None
        left = self._held_until - self._clock()
        if left > 0:
            return None if self._holder == name else left
        return 0.0 if self._before(name) else None

    def knows(self, name: str) -> bool:
        """Whether that instance wrote much lately."""
        return name in self._lately()

    def others(self, name: str) -> int:
        """How many others write much."""
        return len(self._lately() - {name})

    def expect_nobody(self, name: str) -> None:
        """That instance has waited in vain for those whose turn comes before its own."""
        self._held_until = 0.0
        for other in self._before(name):
            del self._last[other]

    def _before(self, name: str) -> list[str]:
        names = [one for one in self._last if one in self._lately()]
        return names[: names.index(name)] if name in names else []

    def _lately(self) -> set[str]:
        oldest = self._clock() - _REMEMBERED_SECONDS
        return {name for name, at in self._last.items() if at > oldest}
