"""Upkeep of the feeds: stale claims freed, trades settled, old rows purged, alerts for what stands still."""

from __future__ import annotations

from typing import Any

from activities.diamonds.upkeep import (
    end_lost_repricings,
    end_lost_runs,
    purge_rows,
    recover_claims,
    settle_trades,
    watch_watermarks,
)
from shared.diamonds.runs.models import Purged, PurgeRows, WatchFeeds
from shared.platform.durable import (
    TOO_MANY_BOXES,
    Context,
    Nothing,
    Outcome,
    Steps,
    call,
    fan_out,
    orchestration,
    progress,
    repeat,
)
from shared.platform.errors import TerminalError

PURGE_BOXES = 150


@orchestration
def watch_feeds(context: Context, task: WatchFeeds) -> Steps[Nothing]:
    """Every hour. One part that fails does not keep the others from being done."""
    outcomes: list[Outcome[Any, Nothing]] = []
    outcomes += yield from fan_out(context, end_lost_runs, [task])
    for step in (end_lost_repricings, recover_claims, watch_watermarks):
        outcomes += yield from fan_out(context, step, [Nothing()])
    for outcome in outcomes:
        outcome.result()
    return Nothing()


@orchestration
def watch_trades(context: Context, task: Nothing) -> Steps[Nothing]:
    """While something is open at a supplier."""
    return (yield from call(context, settle_trades, task))


@orchestration
def purge_feeds(context: Context, task: PurgeRows) -> Steps[Nothing]:
    """Every night, one time box after the other; what is left at the end is tomorrow's."""
    deleted = 0

    def show(purged: Purged) -> None:
        nonlocal deleted
        deleted += purged.raw + purged.sightings + purged.partitions
        progress(context, "purging", done=deleted, unit="rows")

    progress(context, "purging", unit="rows")
    try:
        yield from repeat(
            context,
            purge_rows,
            task,
            until=lambda purged: purged.finished,
            following=lambda _, purged: PurgeRows(after=purged.after),
            show=show,
            boxes=PURGE_BOXES,
        )
    except TerminalError as error:
        if error.code != TOO_MANY_BOXES:
            raise
    return Nothing()
