"""The order of a diamond run: plan, heatmap, ingestion by partitions, consolidation by claims, watermark, summary."""

from __future__ import annotations

from datetime import timedelta

from activities.diamonds import (
    advance_watermark,
    announce,
    consolidate_rows,
    draw_heatmap,
    end_run,
    ingest_pages,
    judge_run,
    load_run,
    plan_run,
    record_failed_partition,
)
from shared.diamonds.models import (
    ConsolidateRun,
    ConsolidationShare,
    EndRun,
    IngestPartition,
    PagesIngested,
    PartitionFailed,
    RowsConsolidated,
    RunPlan,
    RunRef,
    RunStatus,
    RunSummary,
    StartRun,
)
from shared.platform.durable import Context, Steps, call, fan_out, orchestration, progress, repeat
from shared.platform.errors import TerminalError

CONSOLIDATION_WORKERS = 4


@orchestration
def diamond_run(context: Context, request: StartRun) -> Steps[RunSummary]:
    """Read a feed from end to end. Whatever happens after the claim, the run's row tells how it ended."""
    progress(context, "planning")
    plan = yield from call(context, plan_run, request)
    try:
        yield from _ingest(context, plan)
        return (yield from _consolidate(context, plan, force=False))
    except TerminalError:
        yield from call(context, end_run, EndRun(run_id=plan.run_id, status=RunStatus.FAILED))
        yield from call(context, announce, RunRef(run_id=plan.run_id))
        raise


@orchestration
def consolidate_run(context: Context, request: ConsolidateRun) -> Steps[RunSummary]:
    """Consolidate what an earlier run has ingested, when a person or the queue asks for it."""
    plan = yield from call(context, load_run, RunRef(run_id=request.run_id))
    return (yield from _consolidate(context, plan, force=request.force))


@orchestration
def ingest_partition(context: Context, task: IngestPartition) -> Steps[PagesIngested]:
    """Read one partition to its end, one time box after the other."""
    total = task.partition.expected

    def show(done: int) -> None:
        progress(context, f"ingesting {task.partition.partition_id}", done=done, total=total, unit="diamonds")

    show(0)
    return (
        yield from repeat(
            context, ingest_pages, task, until=lambda pages: pages.done, show=lambda pages: show(pages.records)
        )
    )


@orchestration
def consolidate_share(context: Context, share: ConsolidationShare) -> Steps[RowsConsolidated]:
    """Claim and price rows until none is left, one time box after the other."""
    progress(context, "consolidating", unit="rows")
    return (yield from repeat(context, consolidate_rows, share, until=lambda rows: rows.finished))


def _ingest(context: Context, plan: RunPlan) -> Steps[None]:
    progress(context, "counting")
    shares = yield from call(context, draw_heatmap, plan)
    total = len(shares.partitions)

    def show(done: int) -> None:
        progress(context, "ingesting", done=done, total=total, unit="partitions", diamonds=shares.total)

    show(0)
    tasks = [IngestPartition(plan=plan, partition=partition) for partition in shares.partitions]
    outcomes = yield from fan_out(context, ingest_partition, tasks, on_done=show)
    for outcome in outcomes:
        if outcome.failure is not None:
            failed = PartitionFailed(
                run_id=plan.run_id,
                partition_id=outcome.task.partition.partition_id,
                error=f"{outcome.failure.message} ({outcome.failure.code})"[:500],
            )
            yield from call(context, record_failed_partition, failed)


def _consolidate(context: Context, plan: RunPlan, *, force: bool) -> Steps[RunSummary]:
    """Consolidate unless too much is missing; the watermark moves only when nothing is."""
    run = RunRef(run_id=plan.run_id)
    verdict = yield from call(context, judge_run, run)
    if verdict.decision == "wait" and not force:
        yield from call(context, announce, run)
        progress(context, "waiting for retries", done=verdict.partitions - verdict.failed, total=verdict.partitions)
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=verdict.wait_seconds))
        verdict = yield from call(context, judge_run, run)
    if verdict.decision == "hold" and not force:
        summary = yield from call(context, end_run, EndRun(run_id=plan.run_id, status=RunStatus.HELD))
        yield from call(context, announce, run)
        return summary
    progress(context, "consolidating", total=CONSOLIDATION_WORKERS, unit="workers")
    workers = [
        ConsolidationShare(run_id=plan.run_id, feed=plan.feed, worker=f"{plan.run_id}/{number}")
        for number in range(CONSOLIDATION_WORKERS)
    ]
    outcomes = yield from fan_out(context, consolidate_share, workers)
    for outcome in outcomes:
        outcome.result()
    if verdict.failed:
        return (yield from call(context, end_run, EndRun(run_id=plan.run_id, status=RunStatus.PARTIAL)))
    progress(context, "moving the watermark")
    moved = yield from call(context, advance_watermark, plan)
    end = EndRun(run_id=plan.run_id, status=RunStatus.COMPLETED, watermark_after=moved.watermark)
    return (yield from call(context, end_run, end))
