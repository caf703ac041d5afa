"""The nightly purge of deployments that are kept no longer."""

from __future__ import annotations

from activities.deploys.upkeep import purge_deployments, purge_sources
from shared.deploys.running.steps import Purge, Purged
from shared.platform.durable import TOO_MANY_BOXES, Context, Nothing, Steps, orchestration, progress, repeat
from shared.platform.errors import TerminalError

PURGE_BOXES = 150


@orchestration
def forget_deployments(context: Context, nothing: Nothing) -> Steps[Nothing]:
    """The documents first, since they name the sources; what is left at the end is tomorrow's."""
    deleted = 0

    def show(purged: Purged) -> None:
        nonlocal deleted
        deleted += purged.deployments + purged.sources
        progress(context, "purging", done=deleted)

    progress(context, "purging")
    for step in (purge_deployments, purge_sources):
        try:
            yield from repeat(
                context,
                step,
                Purge(),
                until=lambda purged: purged.cursor is None,
                following=lambda _, purged: Purge(cursor=purged.cursor),
                show=show,
                boxes=PURGE_BOXES,
            )
        except TerminalError as error:
            if error.code != TOO_MANY_BOXES:
                raise
    return nothing
