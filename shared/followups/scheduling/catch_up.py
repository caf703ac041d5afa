"""What to do with a client's due steps: send one, move or skip the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.followups.scheduling.calendar import Calendar, next_open


@dataclass(frozen=True, slots=True)
class Policy:
    """How late steps are caught up with.

    Attributes:
        gap: least time between two mails to one client.
        lateness: a step that is late by more is not sent any more.
        overdue: what becomes of steps that are due together with an earlier one.
    """

    gap: timedelta
    lateness: timedelta
    overdue: Literal["shift", "skip"] = "shift"


@dataclass(frozen=True, slots=True)
class DueStep:
    """A pending task that is due.

    Attributes:
        in_time: its mail was written before it became too late, and only waited for a person, a limit or another try.
    """

    task_id: int
    scheduled_for: datetime
    in_time: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """The step's mail is handed over now."""

    task_id: int


@dataclass(frozen=True, slots=True)
class Move:
    """The step is due at that time instead, for a reason that its agent is shown."""

    task_id: int
    to: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """The step ends without a mail: it is too late, or due together with an earlier one."""

    task_id: int
    reason: Literal["too_late", "catch_up"]


Decision = Send | Move | Skip


def catch_up(
    due: Sequence[DueStep], now: datetime, last_contact: datetime | None, calendar: Calendar, policy: Policy
) -> list[Decision]:
    """A decision for each due step of one client, in the order of their times: at most one is sent now."""
    decisions: list[Decision] = []
    before: tuple[datetime, datetime] | None = None  # of the step before: when it was due, when it goes out
    for step in sorted(due, key=lambda step: (step.scheduled_for, step.task_id)):
        if now - step.scheduled_for > policy.lateness and not step.in_time:
            decisions.append(Skip(step.task_id, "too_late"))
            continue
        if before is None:
            earliest = max(now, last_contact + policy.gap) if last_contact else now
        elif policy.overdue == "skip":
            decisions.append(Skip(step.task_id, "catch_up"))
            continue
        else:
            spacing = max(policy.gap, step.scheduled_for - before[0])
            earliest = before[1] + spacing
        opening = next_open(earliest, calendar)
        if opening.at <= now:
            decisions.append(Send(step.task_id))
        else:
            decisions.append(Move(step.task_id, opening.at, "minimum-gap" if earliest > now else str(opening.reason)))
        before = (step.scheduled_for, opening.at)
    return decisions
