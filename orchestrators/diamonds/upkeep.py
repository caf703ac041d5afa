"""Upkeep of the feeds: stale claims freed, old rows purged, alerts for what stands still."""

from __future__ import annotations

from typing import Any

from activities.diamonds.upkeep import (
    end_lost_repricings,
    end_lost_runs,
    purge_rows,
    recover_claims,
    watch_watermarks,
)
from shared.diamonds.models import Nothing
from shared.diamonds.runs.models import PurgeRows, WatchFeeds
from shared.platform.durable import Context, Outcome, Steps, call, fan_out, orchestration, progress

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
def purge_feeds(context: Context, task: PurgeRows) -> Steps[Nothing]:
    """Every night, one time box after the other; what is left at the end is tomorrow's."""
    deleted = 0
    for _ in range(PURGE_BOXES):
        progress(context, "purging", done=deleted, unit="rows")
        purged = yield from call(context, purge_rows, task)
        deleted += purged.raw + purged.sightings + purged.partitions
        if purged.finished:
            break
        task = PurgeRows(after=purged.after)
    return Nothing()
