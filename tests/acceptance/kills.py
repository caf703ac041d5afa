"""Kills at moments that nobody chose, each of them while there is work to lose."""

import time
from collections.abc import Callable


def let_work(seconds: float, progress: Callable[[], object]) -> None:
    """Let a host work for so long, but on a quick machine not further than to the next progress."""
    deadline, before = time.monotonic() + seconds, progress()
    while time.monotonic() < deadline and progress() == before:
        time.sleep(0.01)
