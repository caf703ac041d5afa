"""The life of a run in the database: claimed, cut into partitions, ended. Every function may be repeated.

`run_metadata` holds one row a run, and the database itself sees to it that one feed has at most one running.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from shared.diamonds.models import ERROR_LENGTH
from shared.diamonds.runs.models import RUN_ENDED, Partition, Partitions, RunPlan, RunStatus, StartRun, Window
from shared.diamonds.runs.refusals import run_ended, run_in_progress, unknown_run
from shared.diamonds.runs.reports import run_counts
from shared.platform.errors import Conflict, TransientError
from shared.platform.redaction import redact
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from datetime import datetime
    from uuid import UUID

    from psycopg import AsyncConnection

T = TypeVar("T")

_MAY_BECOME = {
    RunStatus.RUNNING: {
        RunStatus.COMPLETED,
        RunStatus.PARTIAL,
        RunStatus.HELD,
        RunStatus.FAILED,
        RunStatus.CANCELLED,
    },
    # Somebody forces the consolidation of what was held, or gives it up.
    RunStatus.HELD: {RunStatus.COMPLETED, RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.CANCELLED},
}

_PLAN = """
select run_id, feed, run_type, status, window_since, window_until, started_at, watermark_before, max_records
from diamonds.run_metadata"""


async def claim_run(
    request: StartRun,
    window: Window,
    *,
    started_at: datetime | None = None,
    watermark_before: datetime | None = None,
    max_records: int = 0,
) -> RunPlan:
    """Make this the running run of its feed. Repeated, it gives the plan of the first time, with that one's window.

    `started_at` is when the window was decided on, now if it is left out.

    Raises:
        Conflict: another run is running on the feed (`run-in-progress`), or this one has ended (`run-ended`).
    """
    async with database() as connection:
        await connection.execute(
            "insert into diamonds.run_metadata"
            " (run_id, feed, run_type, window_since, window_until, started_at, watermark_before, max_records, hub)"
            " values (%s, %s, %s, %s, %s, coalesce(%s, now()), %s, %s, %s) on conflict do nothing",
            (
                request.run_id,
                request.feed,
                request.run_type,
                window.since,
                window.until,
                started_at,
                watermark_before,
                max_records,
                request.hub,
            ),
        )
        claimed = await rows(connection, f"{_PLAN} where run_id = %s", (request.run_id,))
        if not claimed:
            running = await rows(connection, f"{_PLAN} where feed = %s and status = 'running'", (request.feed,))
            raise run_in_progress(request.feed, running[0]["run_id"] if running else None)
    if claimed[0]["status"] != RunStatus.RUNNING:
        raise run_ended(request.run_id, claimed[0]["status"])
    return _plan(claimed[0])


async def load_plan(run_id: UUID) -> RunPlan:
    """The plan under which the run was claimed, whatever became of it.

    Raises:
        NotFound: there is no such run.
    """
    async with database() as connection:
        found = await rows(connection, f"{_PLAN} where run_id = %s", (run_id,))
    if not found:
        raise unknown_run(run_id)
    return _plan(found[0])


async def save_partitions(run_id: UUID, partitions: Partitions) -> list[Partition]:
    """Store the shares of a run and give those that are stored: of a repeated delivery, the first one's.

    Raises:
        NotFound, Conflict: there is no such run, or it is not running.
    """
    async with database() as connection:
        await lock(connection, run_id, RunStatus.RUNNING)
        stored = await _partitions(connection, run_id)
        if not stored:
            stored = partitions.partitions
            await connection.cursor().executemany(
                "with work as (insert into diamonds.worker_runs (run_id, partition_id, work_item_payload)"
                " values (%s, %s, %s::jsonb) returning run_id, partition_id)"
                " insert into diamonds.partition_progress (run_id, partition_id) select run_id, partition_id from work",
                [(run_id, partition.partition_id, partition.model_dump_json()) for partition in stored],
            )
            await connection.execute(
                "update diamonds.run_metadata set expected_workers = %s where run_id = %s", (len(stored), run_id)
            )
    return stored


async def load_partitions(run_id: UUID) -> list[Partition]:
    """The shares of a run in the order of their ids; none if they have not been saved."""
    async with database() as connection:
        return await _partitions(connection, run_id)


async def partition_failed(run_id: UUID, partition_id: str, error: str) -> None:
    """Record that a partition was given up. One that another delivery has completed meanwhile stays completed."""
    async with database() as connection:
        await connection.execute(
            """
            with given_up as (
                update diamonds.worker_runs set status = 'failed', error_message = %s, completed_at = now()
                where run_id = %s and partition_id = %s and status <> 'completed'
                returning run_id, partition_id
            )
            update diamonds.partition_progress p set failed = true, updated_at = now()
            from given_up where (p.run_id, p.partition_id) = (given_up.run_id, given_up.partition_id)
            """,
            (_cut(error), run_id, partition_id),
        )


async def finish_run(
    run_id: UUID,
    status: RunStatus,
    *,
    watermark_after: datetime | None = None,
    error: tuple[str, str] | None = None,
) -> RunStatus:
    """End a run and store its counts, taken from its rows. Gives its status: a run that was cancelled stays that.

    `error` is the code and the text of why it failed. A held run may be finished again, once its consolidation was
    forced or given up.

    Raises:
        NotFound: there is no such run.
        Conflict: it has ended otherwise (`run-ended`).
    """
    async with database() as connection:
        now = await lock(connection, run_id)
        if now in (RunStatus.CANCELLED, status):
            return now
        if status not in _MAY_BECOME.get(now, ()):
            raise Conflict(f"Run {run_id} is {now} and cannot become {status}.", code=RUN_ENDED)
        await connection.execute(
            """
            update diamonds.run_metadata set status = %(status)s, watermark_after = %(watermark)s, completed_at = now(),
                expected_workers = %(partitions)s, completed_workers = %(partitions_completed)s,
                failed_workers = %(partitions_failed)s, expected_records = %(expected)s,
                ingested_records = %(ingested)s, consolidated_records = %(consolidated)s,
                failed_records = %(failed)s, pending_records = %(pending)s,
                error_code = coalesce(%(error_code)s, error_code), error = coalesce(%(error)s, error)
            where run_id = %(run_id)s
            """,
            {
                "run_id": run_id,
                "status": status,
                "watermark": watermark_after,
                "error_code": error[0] if error else None,
                "error": _cut(error[1]) if error else None,
                **await run_counts(connection, run_id),
            },
        )
        if status is RunStatus.CANCELLED:
            await _discard(connection, run_id)
    return status


async def cancel_run(run_id: UUID) -> RunStatus:
    """Cancel a running or held run; its partitions stop before their next batch. What it stored stays.

    Of a run that is held for what it would change, the waiting rows are discarded: they count as failed, so that no
    later run prices them, until the supplier sends something else.

    Raises:
        NotFound, Conflict: there is no such run, or it has ended.
    """
    return await finish_run(run_id, RunStatus.CANCELLED)


async def see_running(connection: AsyncConnection[Any], run_id: UUID) -> None:
    """Go on only if the run is running.

    Raises:
        Conflict: it was cancelled or has ended (`run-ended`).
    """
    await _see_running(connection, "select status from diamonds.run_metadata where run_id = %s", run_id)


async def keep_running(connection: AsyncConnection[Any], run_id: UUID) -> None:
    """As `see_running`; and the run cannot end before the transaction does."""
    await _see_running(connection, "select status from diamonds.run_metadata where run_id = %s for share", run_id)


async def _see_running(connection: AsyncConnection[Any], query: str, run_id: UUID) -> None:
    found = await rows(connection, query, (run_id,))
    if not found or found[0]["status"] != RunStatus.RUNNING:
        raise run_ended(run_id, found[0]["status"] if found else None)


async def while_running(run_id: UUID, work: Coroutine[Any, Any, T], every: float) -> T:
    """Do the work, but give it up within about `every` seconds of the run's end, whatever it waits for.

    Raises:
        Conflict: the run was cancelled or has ended (`run-ended`).
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=every))[0]:
            with suppress(TransientError):  # a database that is away for a moment is the work's to notice
                async with database() as connection:
                    await see_running(connection, run_id)
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def lock(connection: AsyncConnection[Any], run_id: UUID, needed: RunStatus | None = None) -> RunStatus:
    """Hold the run's row until the transaction ends; its status. Raises NotFound, or Conflict if it is not `needed`."""
    found = await rows(connection, "select status from diamonds.run_metadata where run_id = %s for update", (run_id,))
    if not found:
        raise unknown_run(run_id)
    status = RunStatus(found[0]["status"])
    if needed and status is not needed:
        raise run_ended(run_id, status)
    return status


DISCARDED = "discarded: a person discarded the run that brought it"


async def _discard(connection: AsyncConnection[Any], run_id: UUID) -> None:
    withheld = await rows(
        connection,
        "update diamonds.run_metadata set withheld = false where run_id = %s and withheld returning feed",
        (run_id,),
    )
    if withheld:
        await connection.execute(
            "update diamonds.raw_diamonds set consolidation_status = 'failed', updated_at = now(), failure_reason = %s"
            " where feed = %s and run_id = %s and consolidation_status = 'pending'",
            (DISCARDED, withheld[0]["feed"], run_id),
        )


async def _partitions(connection: AsyncConnection[Any], run_id: UUID) -> list[Partition]:
    stored = await rows(
        connection,
        "select work_item_payload from diamonds.worker_runs where run_id = %s order by partition_id",
        (run_id,),
    )
    return [Partition.model_validate(row["work_item_payload"]) for row in stored]


def _plan(row: dict[str, Any]) -> RunPlan:
    return RunPlan(
        run_id=row["run_id"],
        feed=row["feed"],
        run_type=row["run_type"],
        window=Window(since=row["window_since"], until=row["window_until"]),
        started_at=row["started_at"],
        watermark_before=row["watermark_before"],
        max_records=row["max_records"],
    )


def _cut(error: str) -> str:
    redacted = redact(error)
    return redacted if len(redacted) <= ERROR_LENGTH else f"{redacted[: ERROR_LENGTH - 3]}..."
