"""One side effect each of operations; every one may be repeated."""

from __future__ import annotations

from shared.operations.dead_letter_watch import watch_dead_letters
from shared.platform.durable import Nothing, activity


@activity
async def watch_queues(_: Nothing) -> Nothing:
    """Tell people of each queue that holds dead letters, once a day."""
    await watch_dead_letters()
    return Nothing()
