"""One side effect each of a diamond run; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from shared.diamonds import alerts, consolidation, heatmap, ingestion, mapping, reports, runs, watermark
from shared.diamonds.models import (
    EPOCH,
    ConsolidateRows,
    ConsolidationShare,
    EndRun,
    IngestPages,
    IngestPartition,
    Nothing,
    PagesIngested,
    PartitionFailed,
    Partitions,
    PartitionStatus,
    PriceRange,
    RowsConsolidated,
    RunPlan,
    RunRef,
    RunSummary,
    StartRun,
    Verdict,
    WatermarkMoved,
    Window,
)
from shared.diamonds.suppliers import supplier
from shared.platform.durable import activity
from shared.platform.settings import settings

SILENCE = timedelta(minutes=15)

logger = logging.getLogger(__name__)


@activity
async def plan_run(request: StartRun) -> RunPlan:
    """Claim the feed and fix the update window: what changed since the watermark, or everything.

    A run that was stopped from outside never ends its row: after a quarter of an hour of silence it gives the feed up.
    """
    now = datetime.now(UTC)
    for silent in await reports.stale_runs(SILENCE):
        if silent.feed == request.feed and silent.run_id != request.run_id:
            logger.warning("A run that had fallen silent was cancelled.", extra={"run_id": str(silent.run_id)})
            await runs.cancel_run(silent.run_id)
    seen = await watermark.read(request.feed)
    since = EPOCH if request.run_type == "full" or seen is None else seen.last_updated_at
    return await runs.claim_run(
        request,
        Window(since=since, until=now),
        watermark_before=seen.last_updated_at if seen else None,
        max_records=settings().max_scheduler_records,
    )


@activity
async def draw_heatmap(plan: RunPlan) -> Partitions:
    """Ask the supplier where on the price scale the diamonds lie, and cut the scale into even shares."""
    saved = await runs.load_partitions(plan.run_id)
    asked = 0
    if not saved:
        async with supplier(plan.feed) as feed:

            async def count(prices: PriceRange) -> int:
                return await feed.count(prices, plan.window)

            drawn = await heatmap.plan(count, plan.run_type, plan.max_records)
        saved = await runs.save_partitions(plan.run_id, drawn)
        asked = drawn.counts_asked
    return Partitions(total=sum(one.expected for one in saved), partitions=saved, counts_asked=asked)


@activity
async def ingest_pages(task: IngestPartition) -> PagesIngested:
    """Copy the partition's pages from its progress mark on, for one time box."""
    pages = IngestPages(plan=task.plan, partition=task.partition, seconds=settings().ingest_seconds)
    async with supplier(task.plan.feed) as feed:
        return await ingestion.copy_pages(feed, pages)


@activity
async def record_failed_partition(failed: PartitionFailed) -> Nothing:
    """Write down why a partition could not be read, for the summary, the alert and the retry."""
    await runs.partition_failed(failed.run_id, failed.partition_id, failed.error)
    return Nothing()


@activity
async def judge_run(run: RunRef) -> Verdict:
    """Decide whether what was ingested may be consolidated."""
    summary = await reports.summary(run.run_id)
    failed, total = summary.partitions_failed, summary.partitions
    if not failed:
        return Verdict(decision="go", partitions=total)
    enough = total - failed >= settings().partial_share * total
    return Verdict(
        decision="wait" if enough else "hold",
        wait_seconds=settings().partial_wait_seconds if enough else 0,
        failed=failed,
        partitions=total,
    )


@activity
async def consolidate_rows(share: ConsolidationShare) -> RowsConsolidated:
    """Claim, map and price pending rows for one time box."""
    task = ConsolidateRows(run_id=share.run_id, feed=share.feed, worker=share.worker, seconds=settings().ingest_seconds)
    await runs.seen_working(share.run_id)
    return await consolidation.consolidate(task, mapping.NIVODA, settings().nivoda_price_unit)


@activity
async def advance_watermark(plan: RunPlan) -> WatermarkMoved:
    """Let the next incremental run begin where this one began, less the overlap."""
    reached = plan.window.until - timedelta(seconds=settings().watermark_overlap_seconds)
    moved = await watermark.advance(plan.feed, plan.run_id, reached)
    return WatermarkMoved(watermark=moved.last_updated_at)


@activity
async def end_run(end: EndRun) -> RunSummary:
    """Write down how the run ended; it no longer holds the feed."""
    await runs.finish_run(end.run_id, end.status, watermark_after=end.watermark_after)
    return await reports.summary(end.run_id)


@activity
async def load_run(run: RunRef) -> RunPlan:
    """The plan of an earlier run."""
    return await runs.load_plan(run.run_id)


@activity
async def announce(run: RunRef) -> Nothing:
    """Mail what needs a person about this run, once per cause and day."""
    failed = [one for one in await reports.progress(run.run_id) if one.status is PartitionStatus.FAILED]
    await alerts.announce(await reports.summary(run.run_id), failed)
    return Nothing()


activities = (
    plan_run,
    draw_heatmap,
    ingest_pages,
    record_failed_partition,
    judge_run,
    consolidate_rows,
    advance_watermark,
    end_run,
    load_run,
    announce,
)
