"""Figures of the feeds for operators: what failed, what waits, how old everything is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.diamonds.models import FeedName, Model
from shared.diamonds.runs import watermark
from shared.diamonds.runs.models import PartitionId, PriceRange, RunSummary, RunType
from shared.diamonds.runs.reports import last_runs
from shared.diamonds.runs.schedule import next_nightly, nightly_run_type
from shared.diamonds.settings import settings
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Sequence


class FailedWorker(Model):
    """A partition that could not be read."""

    run_id: UUID
    feed: FeedName
    partition_id: PartitionId
    prices: PriceRange
    records: int = Field(ge=0, description="diamonds read before it failed")
    error: str
    failed_at: AwareDatetime | None


class FeedFigures(Model):
    """How one feed stands."""

    feed: FeedName
    nightly: bool = Field(description="it is read every night: FEEDS names it")
    watermark: AwareDatetime | None = Field(description="up to when it has been read and consolidated")
    watermark_age_hours: float | None
    last_run: RunSummary | None
    next_run_at: AwareDatetime | None = Field(description="when it is read next by itself; null: it is not")
    next_run_type: RunType | None
    active: int = Field(ge=0, description="diamonds on offer")
    deleted: int = Field(ge=0, description="diamonds no longer offered")


class ConsolidationFigures(Model):
    """How the consolidation of one feed stands: its raw rows by status."""

    feed: FeedName
    pending: int = 0
    processing: int = 0
    done: int = 0
    failed: int = 0
    oldest_pending_at: AwareDatetime | None = Field(description="when the row that waits longest was stored")
    last_consolidated_at: AwareDatetime | None = Field(description="when the last run ended that consolidated any")


_FAILED = """
select w.run_id, m.feed, w.partition_id, w.work_item_payload -> 'prices' as prices, w.records_processed as records,
    coalesce(w.error_message, 'no reason was recorded') as error, w.completed_at as failed_at
from diamonds.worker_runs w join diamonds.run_metadata m using (run_id)
where w.status = 'failed' and (%(run_id)s::uuid is null or w.run_id = %(run_id)s)
order by m.started_at desc, w.run_id, w.partition_id
limit %(limit)s offset %(offset)s
"""

_DIAMONDS = """
select feed, coalesce(sum(diamonds) filter (where status = 'active'), 0)::bigint as active,
    coalesce(sum(diamonds) filter (where status = 'deleted'), 0)::bigint as deleted
from diamonds.offer_now group by feed having sum(diamonds) > 0
"""

# By the primary key, which includes the status: no payload is read.
_BY_STATUS = """
select feed, consolidation_status as status, count(*) as rows from diamonds.raw_diamonds group by 1, 2
"""

_TIMES = """
select m.feed, max(m.completed_at) filter (where m.consolidated_records > 0) as last_consolidated_at, (
    select min(r.updated_at) from diamonds.raw_diamonds r
    where r.feed = m.feed and r.consolidation_status = 'pending'
) as oldest_pending_at
from diamonds.run_metadata m group by m.feed order by m.feed
"""


async def failed_workers(run_id: UUID | None = None, *, page: int = 1, limit: int = 50) -> list[FailedWorker]:
    """Partitions that failed and were not read since, of one run or of all, those of the newest run first."""
    parameters = {"run_id": run_id, "limit": limit, "offset": (page - 1) * limit}
    async with database() as connection:
        return [FailedWorker.model_validate(row) for row in await rows(connection, _FAILED, parameters)]


async def feeds(nightly: Sequence[FeedName]) -> list[FeedFigures]:
    """Every feed that is read every night or has been read, in the order of their names."""
    runs = {run.feed: run for run in await last_runs()}
    async with database() as connection:
        diamonds = {row["feed"]: row for row in await rows(connection, _DIAMONDS)}
    next_at = next_nightly(datetime.now(UTC))
    next_type = nightly_run_type(next_at, settings().full_run_days)
    figures: list[FeedFigures] = []
    for feed in sorted({*nightly, *runs, *diamonds}):
        mark = await watermark.read(feed)
        reached = mark.last_updated_at if mark else None
        figures.append(
            FeedFigures(
                feed=feed,
                nightly=feed in nightly,
                watermark=reached,
                watermark_age_hours=reached and round((datetime.now(UTC) - reached).total_seconds() / 3600, 1),
                last_run=runs.get(feed),
                next_run_at=next_at if feed in nightly else None,
                next_run_type=next_type if feed in nightly else None,
                active=diamonds[feed]["active"] if feed in diamonds else 0,
                deleted=diamonds[feed]["deleted"] if feed in diamonds else 0,
            )
        )
    return figures


async def consolidation() -> list[ConsolidationFigures]:
    """The raw rows of every feed by status, in the order of their names."""
    async with database() as connection:
        counted = await rows(connection, _BY_STATUS)
        times = await rows(connection, _TIMES)
    counts: dict[str, dict[str, int]] = {}
    for row in counted:
        counts.setdefault(row["feed"], {})[row["status"]] = row["rows"]
    return [ConsolidationFigures.model_validate(row | counts.get(row["feed"], {})) for row in times]
