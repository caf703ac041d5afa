"""A clock under which no two things happen at the same time."""

import threading
from datetime import datetime, timedelta

from local.host.core.clock import ManualClock


class TickingClock(ManualClock):
    """Goes on by a millisecond each time that it is read, by whichever thread."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.RLock()

    def now(self) -> datetime:
        with self._turn:
            self.move_to(super().now() + timedelta(milliseconds=1))
            return super().now()

    def move_to(self, when: datetime) -> None:
        """Where it has gone past `when` meanwhile, it stays."""
        with self._turn:
            super().move_to(max(when, super().now()))
