"""What is answered to whoever wants something that a run does not allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.diamonds.runs.models import NOTHING_TO_RETRY, RUN_ENDED
from shared.platform.errors import Conflict, NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from shared.diamonds.models import FeedName

RUN_IN_PROGRESS = "run-in-progress"
RUN_COMPLETED = "run-completed"


def unknown_run(run_id: UUID) -> NotFound:
    """No run has this id."""
    return NotFound(f"There is no run {run_id}.", code="unknown-run")


def run_ended(run_id: UUID, status: str | None) -> Conflict:
    """Only a running run may do this, and this one was cancelled or has ended otherwise; None: it has no row."""
    return Conflict(f"Run {run_id} is no longer running: it is {status or 'unknown'}.", code=RUN_ENDED)


def run_in_progress(feed: FeedName, run_id: UUID | None = None, *, elsewhere: bool = False) -> Conflict:
    """The feed has a running run; `elsewhere`: of another host."""
    run = f"Run {run_id}" if run_id else "Another run"
    return Conflict(
        f"{run}{', of another host,' if elsewhere else ''} is running on the feed {feed}.",
        code=RUN_IN_PROGRESS,
        remedy="Wait until it has ended, or cancel it.",
    )


def run_cancelled(run_id: UUID) -> Conflict:
    """A cancelled run is not taken up again."""
    return Conflict(f"Run {run_id} was cancelled.", code=RUN_ENDED, remedy="Start a new run.")


def run_completed(run_id: UUID) -> Conflict:
    """There is nothing left to consolidate."""
    return Conflict(f"Run {run_id} is consolidated already.", code=RUN_COMPLETED)


def nothing_to_retry(run_id: UUID) -> Conflict:
    """None of the partitions that were named, or none of all, has failed."""
    return Conflict(
        f"No such partition of run {run_id} has failed.",
        code=NOTHING_TO_RETRY,
        remedy=f"See its partitions at /api/v2/analytics/runs/{run_id}.",
    )
