"""Whether follow-ups go out in time: the age of the last sweep that ended and of the oldest task that is due."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.followups.events.providers.bad_signatures import MOST, RECENT
from shared.followups.sending.claims import UNSENT
from shared.platform.models import LazyModel
from shared.platform.stores.postgres import database, rows

OLDEST_SWEEP_SECONDS = 300
OLDEST_DUE_SECONDS = 600
"""A task that is due for longer while none is sent: the sweeps do not get mails out, also where they end."""
OLDEST_OF_A_QUEUE_SECONDS = 1800
"""A slow sender and a long queue may keep a task while others are sent; half an hour is somebody's fault."""
EVERY_MINUTE = "0 * * * * *"
"""When the app's one timer fires, in the words of its trigger."""

_READ = f"""
select extract(epoch from now() - s.swept_at)::float as sweep_age, s.swept_at, s.stopped_at, s.stop_reason,
    exists (select from followups.emails where state = 'sent' and sent_at > now() - interval '{OLDEST_SWEEP_SECONDS} s')
        as sending,
    (select extract(epoch from now() - min(greatest(t.scheduled_for, e.approved_at)))::float {UNSENT}) as due_age,
    (select count(*) from followups.emails where state = 'unknown') as unknown, {RECENT} as bad_signatures,
    s.domain_problems, date_trunc('minute', now()) + interval '1 minute' as next_minute
from followups.scheduler s
"""  # noqa: S608 - constants of these modules


class Job(LazyModel):
    """What runs by the clock."""

    id: str
    name: str
    next_run_time: datetime
    trigger: str


class SchedulerHealth(LazyModel):
    """Red when follow-ups do not go out; `reasons` says why."""

    status: Literal["green", "red"]
    running: bool = Field(description="Sweeps end, or mails are being sent")
    jobs: list[Job] = Field(description="The sweep, as the replaced scheduler showed it")
    reasons: list[str]
    last_sweep_at: datetime | None = Field(description="When a sweep has last ended")
    last_sweep_age_seconds: float | None
    oldest_due_age_seconds: float | None = Field(description="How long the oldest task that may be sent has been due")
    stopped_at: datetime | None = Field(description="Since when all mails are stopped by the operator")
    bad_signatures: int = Field(description="Requests to webhooks of the last five minutes with a wrong signature")
    unknown: int = Field(description="Mails of which nobody knows whether they were handed over")


async def scheduler_health() -> SchedulerHealth:
    """How the scheduler is, by the database's clock."""
    async with database() as connection:
        [row] = await rows(connection, _READ)
    reasons: list[str] = []
    # A sweep with much to send lasts longer, at the sender's rate.
    running = row["sending"] or (row["sweep_age"] is not None and row["sweep_age"] <= OLDEST_SWEEP_SECONDS)
    if row["sweep_age"] is None:
        reasons.append("no sweep has ended yet")
    elif not running:
        reasons.append(f"the last sweep ended {row['sweep_age']:.0f} seconds ago")
    if (row["due_age"] or 0) > (OLDEST_OF_A_QUEUE_SECONDS if row["sending"] else OLDEST_DUE_SECONDS):
        reasons.append(f"a task has been due for {row['due_age']:.0f} seconds")
    reasons += [f"the sender's domain is not ready: {problem}" for problem in row["domain_problems"]]
    if row["bad_signatures"] >= MOST:
        reasons.append(f"{row['bad_signatures']} requests to webhooks had a wrong signature in five minutes")
    return SchedulerHealth(
        status="red" if reasons else "green",
        running=running,
        jobs=[Job(id="followups", name="Send what is due", next_run_time=row["next_minute"], trigger=EVERY_MINUTE)],
        reasons=reasons,
        last_sweep_at=row["swept_at"],
        last_sweep_age_seconds=row["sweep_age"],
        oldest_due_age_seconds=row["due_age"],
        stopped_at=row["stopped_at"],
        unknown=row["unknown"],
        bad_signatures=row["bad_signatures"],
    )
