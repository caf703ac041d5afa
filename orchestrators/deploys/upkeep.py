"""What is forgotten of deployments, every night."""

from __future__ import annotations

from activities.deploys import purge_deployments, purge_sources
from shared.deploys.steps import Nothing, Purge
from shared.platform.durable import Context, Steps, call, orchestration, progress

PURGE_BOXES = 150


@orchestration
def forget_deployments(context: Context, nothing: Nothing) -> Steps[Nothing]:
    """The documents first, since they name the sources; what is left at the end is tomorrow's."""
    forgotten = 0
    for step in (purge_deployments, purge_sources):
        task = Purge()
        for _ in range(PURGE_BOXES):
            progress(context, step.name, done=forgotten)
            purged = yield from call(context, step, task)
            forgotten += purged.deployments + purged.sources
            if purged.cursor is None:
                break
            task = Purge(cursor=purged.cursor)
    return nothing
