"""Routes and a timer that back the database up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import azure.functions as func
from pydantic import Field

from orchestrators.backups.backing_up import back_up
from shared.backups import reporting
from shared.backups.models import Backup, BackupRequest, TakeAndVerify
from shared.backups.schedule import backup_of, backups_due
from shared.backups.settings import settings
from shared.platform.access.auth import ADMIN
from shared.platform.cursors import OPENED
from shared.platform.durable import DurableClient, new_blueprint
from shared.platform.http import Accepted, Page, Pagination, Routes
from shared.platform.models import LazyModel

routes = Routes(tag="operations")
timers = new_blueprint()

INSTANCE = "backups"
"""The instance id of every backup that is not verified: one runs at a time."""
VERIFICATION = "backups-verification"
"""That of those which are verified, which takes longer: the next hour's backup does not wait for it."""


class BackupsQuery(LazyModel, extra="forbid"):
    """Which backups to list."""

    limit: int = Field(default=20, ge=1, le=100, description="Most backups of one page")
    cursor: Annotated[str, Field(pattern=r"^[0-9]{8}T[0-9]{6}Z$"), OPENED] | None = Field(
        default=None, description="`pagination.next` of the page before"
    )


@routes.post("/ops/backups", needs=ADMIN, summary="Back the database up")
async def backups_take(body: BackupRequest, client: DurableClient) -> Accepted:
    """Only what changed since the last backup of its chain is written. `verify` restores it elsewhere and compares."""
    task = await backup_of(datetime.now(UTC), verify=body.verify)
    instance = await client.start(back_up, task, instance_id=_instance(task))
    return Accepted(id=instance, location=f"/ops/runs/{instance}")


@routes.get("/ops/backups", needs=ADMIN, summary="The backups, the newest first")
async def backups_list(query: BackupsQuery) -> Page[Backup]:
    found = await reporting.list_backups(query.limit + 1, query.cursor)
    shown = found[: query.limit]
    return Page(
        data=shown, pagination=Pagination(limit=query.limit, next=shown[-1].id if len(found) > len(shown) else None)
    )


@timers.timer_trigger(schedule="0 5 * * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def backups_hourly(timer: func.TimerRequest, client: Any) -> None:
    """Every hour where BACKUPS_HOURLY is on; once a day the backup is restored elsewhere and compared."""
    if settings().backups_hourly:
        await _hourly(DurableClient(client), past_due=timer.past_due)


async def _hourly(client: DurableClient, *, past_due: bool) -> None:
    now = datetime.now(UTC)
    try:
        for task in await backups_due(now):
            if await client.start_if_idle(back_up, task, instance_id=_instance(task), past_due=past_due):
                break
    finally:  # people are told of a late backup, whatever keeps the next one from its start
        await reporting.watch_age(now)


def _instance(task: TakeAndVerify) -> str:
    return VERIFICATION if task.verify else INSTANCE
