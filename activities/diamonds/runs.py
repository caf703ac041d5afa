"""One side effect each of a diamond run; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.diamonds.ingestion import heatmap
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.ingestion.suppliers import mapping, price_unit, supplier
from shared.diamonds.models import (
    EPOCH,
    NO_END,
    RUN_ENDED,
    ConsolidateRows,
    IngestPages,
    MissingDiamonds,
    PagesIngested,
    Partitions,
    PartitionStatus,
    PriceRange,
    RowsConsolidated,
    RunPlan,
    RunStatus,
    RunSummary,
    StartRun,
    Window,
)
from shared.diamonds.pricing import consolidation
from shared.diamonds.reporting import alerts, reports
from shared.diamonds.runs import lifecycle, missing, orphans, retries, watermark
from shared.diamonds.settings import settings
from shared.diamonds.steps import (
    ConsolidateRun,
    ConsolidationShare,
    EndRun,
    IngestPartition,
    Nothing,
    PartitionFailed,
    Reopened,
    RetryRun,
    RunRef,
    Verdict,
    WatermarkMoved,
)
from shared.platform.alerts import try_to_send
from shared.platform.durable import activity
from shared.platform.errors import Conflict

if TYPE_CHECKING:
    from shared.diamonds.ingestion.suppliers.base import Supplier

COUNTING_LOOK_SECONDS = 0.5
"""How often one who counts looks whether the run was cancelled."""
READING_LOOK_SECONDS = 5.0
"""How often one who reads a partition does so beside its batches, which look anyway: for when the supplier is away."""

logger = logging.getLogger(__name__)


@activity
async def plan_run(request: StartRun) -> RunPlan:
    """Claim the feed and fix the update window: what changed since the watermark, or everything.

    What changes while a full run reads must not fall out of its window: it would count as no longer offered.
    """
    now = datetime.now(UTC)
    if request.abandoned:
        await orphans.end(request.abandoned)
    seen = await watermark.read(request.feed)
    since = EPOCH if request.run_type == "full" or seen is None else seen.last_updated_at
    return await lifecycle.claim_run(
        request,
        Window(since=since, until=NO_END if request.run_type == "full" else now),
        started_at=now,
        watermark_before=seen.last_updated_at if seen else None,
        max_records=settings().max_scheduler_records,
    )


@activity
async def draw_heatmap(plan: RunPlan) -> Partitions:
    """Ask the supplier where on the price scale the diamonds lie, and cut the scale into even shares."""
    saved = await lifecycle.load_partitions(plan.run_id)
    asked = 0
    if not saved:
        drawn = await lifecycle.while_running(plan.run_id, _draw(plan), every=COUNTING_LOOK_SECONDS)
        saved = await lifecycle.save_partitions(plan.run_id, drawn)
        asked = drawn.counts_asked
    return Partitions(total=sum(one.expected for one in saved), partitions=saved, counts_asked=asked)


async def _draw(plan: RunPlan) -> Partitions:
    async with supplier(plan.feed) as feed:

        async def count(prices: PriceRange) -> int:
            return await feed.count(prices, plan.window)

        drawn = await heatmap.plan(count, plan.run_type, plan.max_records)
        if not plan.max_records and (unpriced := await _unpriced(feed, plan.window)):
            await try_to_send(alerts.diamonds_without_price(plan, unpriced))
    return drawn


async def _unpriced(feed: Supplier, window: Window) -> int:
    """How many diamonds the supplier counts that no price range holds."""

    async def difference() -> int:
        return await feed.count(None, window) - await feed.count(heatmap.EVERY_PRICE, window)

    found = await difference()
    # Asked again, since one that goes between the two counts makes a difference, too.
    return max(min(found, await difference()), 0) if found > 0 else 0


@activity
async def ingest_pages(task: IngestPartition) -> PagesIngested:
    """Copy the partition's pages from its progress mark on, for one time box."""
    return await lifecycle.while_running(task.plan.run_id, _copy(task), every=READING_LOOK_SECONDS)


async def _copy(task: IngestPartition) -> PagesIngested:
    pages = IngestPages(plan=task.plan, partition=task.partition, seconds=settings().ingest_seconds)
    async with supplier(task.plan.feed) as feed:
        return await copy_pages(feed, pages)


@activity
async def record_failed_partition(failed: PartitionFailed) -> Nothing:
    """Write down why a partition could not be read, for the summary, the alert and the retry."""
    await lifecycle.partition_failed(failed.run_id, failed.partition_id, failed.error)
    return Nothing()


@activity
async def judge_run(run: RunRef) -> Verdict:
    """Decide whether what was ingested may be consolidated."""
    summary = await reports.summary(run.run_id)
    if summary.status is not RunStatus.RUNNING:
        raise Conflict(f"Run {run.run_id} is {summary.status}.", code=RUN_ENDED)
    partitions = await reports.progress(run.run_id)
    total = len(partitions)
    unread = sum(one.status is not PartitionStatus.COMPLETED for one in partitions)
    enough = total and total - unread >= settings().partial_share * total
    decision = "hold" if not enough else "wait" if unread else "go"
    return Verdict(
        decision=decision,
        wait_seconds=settings().partial_wait_seconds if decision == "wait" else 0,
        unread=unread,
        partitions=total,
        complete=decision == "go",
        capped=total > 0 and partitions[-1].prices.maximum < heatmap.PRICES_END,
    )


@activity
async def consolidate_rows(share: ConsolidationShare) -> RowsConsolidated:
    """Claim, map and price pending rows for one time box."""
    task = ConsolidateRows(run_id=share.run_id, feed=share.feed, worker=share.worker, seconds=settings().ingest_seconds)
    return await consolidation.consolidate(task, mapping(share.feed), price_unit(share.feed))


@activity
async def mark_missing(run: RunRef) -> MissingDiamonds:
    """Mark the diamonds deleted that this complete full run did not see, unless they are too many to be believed."""
    return await missing.mark_missing_deleted(run.run_id, settings().delete_share_limit)


@activity
async def advance_watermark(plan: RunPlan) -> WatermarkMoved:
    """Let the next incremental run begin where this one began, less the overlap."""
    reached = plan.started_at - timedelta(seconds=settings().watermark_overlap_seconds)
    moved = await watermark.advance(plan.feed, plan.run_id, reached)
    logger.info("A watermark has moved.", extra={"feed": str(plan.feed), "run": str(plan.run_id)})
    return WatermarkMoved(watermark=moved.last_updated_at)


@activity
async def end_run(end: EndRun) -> RunSummary:
    """Write down how the run ended; it no longer holds the feed."""
    error = (end.error_code or "failed", end.error) if end.error else None
    await lifecycle.finish_run(end.run_id, end.status, watermark_after=end.watermark_after, error=error)
    return await reports.summary(end.run_id)


@activity
async def reopen_run(retry: RetryRun) -> Reopened:
    """Let a run go on with its failed partitions."""
    partitions = await retries.reopen_run(retry.run_id, retry.attempt, retry.partition_ids)
    return Reopened(plan=await lifecycle.load_plan(retry.run_id), partitions=partitions)


@activity
async def resume_run(request: ConsolidateRun) -> RunPlan:
    """Let an ended run go on to its consolidation."""
    logger.info(
        "The consolidation of a run was asked for.",
        extra={"run_id": str(request.run_id), "trace_id": request.trace_id, "force": request.force},
    )
    return await retries.resume_run(request.run_id, request.attempt, trace_id=request.trace_id)


@activity
async def announce(run: RunRef) -> Nothing:
    """Mail what needs a person about this run, once per cause and day."""
    failed = [one for one in await reports.progress(run.run_id) if one.status is PartitionStatus.FAILED]
    await alerts.announce(await reports.summary(run.run_id), failed)
    return Nothing()
