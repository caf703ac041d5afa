"""What runs came to and how far they are. All counts are taken from rows: repeated deliveries cannot inflate them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.diamonds.runs.models import Partition, PartitionProgress, RunStatus, RunSummary
from shared.diamonds.runs.refusals import unknown_run
from shared.platform.health import StatusField
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection

_COUNTS = """
with seen as (
    select distinct m.feed, s.supplier_stone_id
    from diamonds.run_metadata m join diamonds.run_sightings s using (run_id)
    where m.run_id = %(run_id)s
), stones as (
    select count(*) as ingested,
        count(*) filter (where r.consolidation_status = 'done') as consolidated,
        count(*) filter (where r.consolidation_status = 'failed') as failed,
        count(*) filter (where r.consolidation_status in ('pending', 'processing')) as pending
    from seen left join diamonds.raw_diamonds r using (feed, supplier_stone_id)
), work as (
    select count(*) as partitions,
        count(*) filter (where w.status = 'completed') as partitions_completed,
        count(*) filter (where w.status = 'failed') as partitions_failed,
        coalesce(sum(coalesce(p.counted, (w.work_item_payload ->> 'expected')::integer)), 0) as expected
    from diamonds.worker_runs w join diamonds.partition_progress p using (run_id, partition_id)
    where w.run_id = %(run_id)s
)
select * from stones, work
"""

_STORED = """
select run_id, feed, run_type, status, started_at, completed_at, watermark_after,
    expected_workers as partitions, failed_workers as partitions_failed,
    expected_records as expected, ingested_records as ingested,
    consolidated_records as consolidated, failed_records as failed, pending_records as pending,
    offered_records as offered, missing_records as missing, deleted_records as deleted, error_code, error, trace_id
from diamonds.run_metadata"""


async def summary(run_id: UUID) -> RunSummary:
    """What the run has come to: counted now while it runs (about a second for half a million diamonds), else as stored.

    Raises:
        NotFound: there is no such run.
    """
    async with database() as connection:
        found = await rows(connection, f"{_STORED} where run_id = %s", (run_id,))
        if not found:
            raise unknown_run(run_id)
        return await _summary(connection, found[0])


async def list_runs(feed: str | None = None, *, page: int = 1, limit: int = 50) -> tuple[list[RunSummary], int]:
    """A page of the runs, the newest first, and how many there are."""
    parameters = {"feed": feed, "limit": limit, "offset": (page - 1) * limit}
    async with database() as connection:
        total = await rows(
            connection,
            "select count(*) as total from diamonds.run_metadata where %(feed)s::text is null or feed = %(feed)s",
            parameters,
        )
        found = await rows(
            connection,
            f"{_STORED} where %(feed)s::text is null or feed = %(feed)s"
            " order by started_at desc, run_id limit %(limit)s offset %(offset)s",
            parameters,
        )
        return [await _summary(connection, row) for row in found], total[0]["total"]


async def last_runs() -> list[RunSummary]:
    """The newest run of each feed, in the order of their names."""
    async with database() as connection:
        newest = await rows(
            connection,
            "select distinct on (feed) run_id from diamonds.run_metadata order by feed, started_at desc, run_id",
        )
        return await _summaries(connection, newest)


async def last_statuses() -> dict[str, RunStatus]:
    """How the newest run of each feed stands. Cheap: for polling."""
    async with database() as connection:
        newest = await rows(
            connection,
            "select distinct on (feed) feed, status from diamonds.run_metadata order by feed, started_at desc, run_id",
        )
    return {row["feed"]: RunStatus(row["status"]) for row in newest}


STATUS = StatusField("feeds", last_statuses)


async def progress(run_id: UUID) -> list[PartitionProgress]:
    """Every partition of the run, in the order of their ids; none if there is no such run. Cheap: for polling."""
    async with database() as connection:
        found = await rows(
            connection,
            "select w.work_item_payload, w.status, w.records_processed, w.error_message,"
            " p.next_offset, p.sweep, p.counted, p.updated_at"
            " from diamonds.worker_runs w join diamonds.partition_progress p using (run_id, partition_id)"
            " where run_id = %s order by partition_id",
            (run_id,),
        )
    return [_progress(row) for row in found]


async def run_counts(connection: AsyncConnection[Any], run_id: UUID) -> dict[str, int]:
    """The run's counts as its rows have them now: those of RunSummary, and `partitions_completed`."""
    return (await rows(connection, _COUNTS, {"run_id": run_id}))[0]


async def _summaries(connection: AsyncConnection[Any], newest: list[dict[str, Any]]) -> list[RunSummary]:
    found = await rows(
        connection, f"{_STORED} where run_id = any(%s) order by feed", ([row["run_id"] for row in newest],)
    )
    return [await _summary(connection, row) for row in found]


async def _summary(connection: AsyncConnection[Any], stored: dict[str, Any]) -> RunSummary:
    if stored["status"] == RunStatus.RUNNING:
        counts = await run_counts(connection, stored["run_id"])
        stored |= {name: count for name, count in counts.items() if name != "partitions_completed"}
    return RunSummary.model_validate(stored)


def _progress(row: dict[str, Any]) -> PartitionProgress:
    partition = Partition.model_validate(row["work_item_payload"])
    return PartitionProgress(
        partition_id=partition.partition_id,
        prices=partition.prices,
        expected=partition.expected if row["counted"] is None else row["counted"],
        records=row["records_processed"],
        status=row["status"],
        next_offset=row["next_offset"],
        sweep=row["sweep"],
        updated_at=row["updated_at"],
        error=row["error_message"],
    )
