"""Ended runs that go on: failed partitions are read again, or what was read is consolidated after all.

Who takes a run up again names the attempt, so that a repeated delivery is distinguished from a second attempt.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from shared.diamonds.runs.lifecycle import load_plan, lock
from shared.diamonds.runs.models import Partition, PartitionStatus, RunPlan, RunStatus
from shared.diamonds.runs.refusals import nothing_to_retry, run_cancelled, run_completed, run_in_progress
from shared.diamonds.runs.reports import progress
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from uuid import UUID

    from psycopg import AsyncConnection

    from shared.diamonds.runs.models import RunSummary

_RESET = """
with again as (
    update diamonds.worker_runs set status = 'pending', error_message = null, completed_at = null
    where run_id = %(run_id)s and status = 'failed'
        and (%(partition_ids)s::text[] is null or partition_id = any(%(partition_ids)s))
    returning run_id, partition_id, work_item_payload
)
update diamonds.partition_progress p
set failed = false, sweep = 0, next_offset = 0, next_token = null, empty_pages = 0, updated_at = now()
from again where (p.run_id, p.partition_id) = (again.run_id, again.partition_id)
returning again.work_item_payload
"""

# What an attempt has reset before, and nobody has read to its end since.
_OPEN = """
select work_item_payload from diamonds.worker_runs
where run_id = %(run_id)s and status in ('pending', 'running')
    and (%(partition_ids)s::text[] is null or partition_id = any(%(partition_ids)s))
"""


async def reopen_run(run_id: UUID, attempt: UUID, partition_ids: Sequence[str] | None = None) -> list[Partition]:
    """Let a run go on with its failed partitions (or those named of them), from the start of each.

    What they have stored is recognised when it comes again. Gives the partitions to work on.

    Raises:
        NotFound: there is no such run.
        Conflict: it was cancelled (`run-ended`), another is running on the feed (`run-in-progress`), or none of the
            partitions has failed (`nothing-to-retry`).
    """
    parameters = {"run_id": run_id, "partition_ids": None if partition_ids is None else list(partition_ids)}
    plan = await load_plan(run_id)
    async with _taking_up(plan) as connection:
        status, by = await _state(connection, run_id)
        repeated = status is RunStatus.RUNNING and by == attempt
        open_ = await rows(connection, _OPEN if repeated else _RESET, parameters)
        if not open_ and not repeated:
            raise nothing_to_retry(run_id)
        await _take_up(connection, run_id, attempt)
    return sorted((Partition.model_validate(row["work_item_payload"]) for row in open_), key=lambda p: p.partition_id)


async def resume_run(run_id: UUID, attempt: UUID, *, force: bool = False, trace_id: str | None = None) -> RunPlan:
    """Let a held, partial or failed run go on to its consolidation. `trace_id` is kept on the run.

    `force` releases a run that is held for what it would change.

    Raises:
        NotFound: there is no such run.
        Conflict: it is running (`run-in-progress`), was cancelled (`run-ended`) or is completed (`run-completed`), or
            another is running on the feed.
    """
    plan = await load_plan(run_id)
    async with _taking_up(plan) as connection:
        status, by = await _state(connection, run_id)
        if status is RunStatus.COMPLETED:
            raise run_completed(run_id)
        if status is RunStatus.RUNNING and by != attempt:
            raise run_in_progress(plan.feed, run_id)
        await _take_up(connection, run_id, attempt)
        await connection.execute(
            "update diamonds.run_metadata set trace_id = coalesce(%s, trace_id), released = released or %s,"
            " withheld = withheld and not %s where run_id = %s",
            (trace_id, force, force, run_id),
        )
    return plan


async def check_failed(run: RunSummary, partition_ids: Sequence[str] | None) -> None:
    """See that there is something to retry: before anything is started, for a plain answer.

    Raises:
        Conflict: as `reopen_run`.
    """
    _not_cancelled(run.run_id, run.status)
    failed = {one.partition_id for one in await progress(run.run_id) if one.status is PartitionStatus.FAILED}
    if not (failed if partition_ids is None else failed.intersection(partition_ids)):
        raise nothing_to_retry(run.run_id)


def check_resumable(run: RunSummary) -> None:
    """See that an ended run can be consolidated.

    Raises:
        Conflict: as `resume_run`.
    """
    _not_cancelled(run.run_id, run.status)
    if run.status is RunStatus.COMPLETED:
        raise run_completed(run.run_id)


async def _state(connection: AsyncConnection[Any], run_id: UUID) -> tuple[RunStatus, UUID | None]:
    """The run's status and who took it up last; its row is held."""
    status = await lock(connection, run_id)
    _not_cancelled(run_id, status)
    found = await rows(connection, "select attempt from diamonds.run_metadata where run_id = %s", (run_id,))
    return status, found[0]["attempt"]


def _not_cancelled(run_id: UUID, status: RunStatus) -> None:
    if status is RunStatus.CANCELLED:
        raise run_cancelled(run_id)


async def _take_up(connection: AsyncConnection[Any], run_id: UUID, attempt: UUID) -> None:
    await connection.execute(
        "update diamonds.run_metadata set status = 'running', completed_at = null, attempt = %s, error_code = null,"
        " error = null where run_id = %s",
        (attempt, run_id),
    )


@asynccontextmanager
async def _taking_up(plan: RunPlan) -> AsyncGenerator[AsyncConnection[Any]]:
    from psycopg.errors import UniqueViolation  # noqa: PLC0415 - loads in the activity that needs it

    try:
        async with database() as connection:
            yield connection
    except UniqueViolation as error:
        raise run_in_progress(plan.feed) from error
