"""The cadence: which steps follow after a client was entered, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field

from shared.followups.scheduling.calendar import Calendar, Opening, local_instant, next_open
from shared.platform.models import LazyModel

Priority = Literal["high", "medium", "low"]
CUSTOM: Final = "Custom"
"""The type of tasks beside every cadence."""


class Step(LazyModel):
    """One step of a cadence."""

    model_config = ConfigDict(frozen=True)
    followup_type: str
    days: int = Field(ge=0, le=3650)
    priority: Priority
    channel: Literal["email"] = "email"


class PlannedStep(LazyModel):
    """A step with its moment: `at` is in the client's hours, `planned` is before they were looked at."""

    model_config = ConfigDict(frozen=True)
    step: Step
    planned: datetime
    opening: Opening


def plan(steps: Sequence[Step], entered: datetime, calendar: Calendar) -> list[PlannedStep]:
    """Every step so many days after `entered` at the same local time, moved into the client's hours."""
    zone = ZoneInfo(calendar.time_zone)
    local = entered.astimezone(zone)
    planned: list[PlannedStep] = []
    for step in steps:
        at = local_instant(local.date() + timedelta(days=step.days), local.time(), zone)
        planned.append(PlannedStep(step=step, planned=at, opening=next_open(at, calendar)))
    return planned
