"""When the feeds are read by themselves: every night at 02:00 UTC, as the timer in triggers/diamonds/runs.py says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shared.diamonds.runs.models import RunType

HOUR: Final = 2
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def nightly_run_type(now: datetime, full_run_days: str) -> RunType:
    """`full` on the weekdays that FULL_RUN_DAYS names: only a full run finds the diamonds that were deleted."""
    return "full" if DAYS[now.weekday()] in full_run_days.split(",") else "incremental"


def next_nightly(now: datetime) -> datetime:
    """When the timer fires next; `now` is of UTC."""
    today = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return today if now < today else today + timedelta(days=1)
