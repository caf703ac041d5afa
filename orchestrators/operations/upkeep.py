"""What the app looks at although nobody asks: the dead letters of its queues."""

from __future__ import annotations

from activities.operations.upkeep import watch_queues
from shared.platform.durable import Context, Nothing, Steps, call, orchestration


@orchestration
def watch_operations(context: Context, nothing: Nothing) -> Steps[Nothing]:
    """Every hour. As an orchestration, so that what fails for a moment is tried again."""
    yield from call(context, watch_queues, nothing)
    return nothing
