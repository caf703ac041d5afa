"""The order of a diamond run: plan, heatmap, ingestion by partitions, consolidation by claims, watermark, summary.

One of these works on a feed at a time: all are started under the id that `feed_instance` gives.
"""

from __future__ import annotations

from activities.diamonds.ingestion import draw_heatmap, ingest_pages
from activities.diamonds.pricing import consolidate_rows
from activities.diamonds.runs import (
    advance_watermark,
    announce,
    end_run,
    judge_run,
    mark_missing,
    plan_run,
    record_failed_partition,
    reopen_run,
    resume_run,
)
from shared.diamonds.ingestion.models import IngestPartition, PagesIngested
from shared.diamonds.models import ERROR_LENGTH
from shared.diamonds.pricing.models import ConsolidateFeed, ConsolidationShare, RowsConsolidated
from shared.diamonds.runs.models import (
    NOTHING_TO_RETRY,
    RUN_ENDED,
    ConsolidateRun,
    EndRun,
    Interruption,
    Partition,
    PartitionFailed,
    RetryRun,
    RunPlan,
    RunRef,
    RunStatus,
    RunSummary,
    StartRun,
    Verdict,
)
from shared.platform.durable import (
    Context,
    Nothing,
    Steps,
    call,
    fan_out,
    orchestration,
    progress,
    repeat,
    wait_for_event,
)
from shared.platform.errors import TerminalError

CONSOLIDATION_WORKERS = 4
INTERRUPTION = "interruption"
"""The event that ends a run's wait for retries. While a run waits, its status has this under `awaits`."""


def feed_instance(feed: str) -> str:
    """The instance id of whatever works on the feed."""
    return f"diamonds-{feed}"


@orchestration
def diamond_run(context: Context, request: StartRun) -> Steps[RunSummary]:
    """Read a feed from end to end. Whatever happens after the claim, the run's row tells how it ended."""
    progress(context, "planning")
    plan = yield from call(context, plan_run, request)
    return (yield from _to_its_end(context, plan, _read_all(context, plan)))


@orchestration
def retry_run(context: Context, request: RetryRun) -> Steps[RunSummary]:
    """Read failed partitions of an ended run again, then go on as the run would have."""
    progress(context, "planning")
    reopened = yield from call(context, reopen_run, request)
    return (yield from _to_its_end(context, reopened.plan, _read(context, reopened.plan, reopened.partitions)))


@orchestration
def consolidate_run(context: Context, request: ConsolidateRun) -> Steps[RunSummary]:
    """Consolidate what an ended run has ingested, when a person or the queue asks for it."""
    plan = yield from call(context, resume_run, request)
    return (yield from _to_its_end(context, plan, _conclude(context, plan, force=request.force)))


@orchestration
def consolidate_feed(context: Context, request: ConsolidateFeed) -> Steps[Nothing]:
    """Consolidate rows that were given another try, while no run works on the feed."""
    yield from _consolidate(context, request.feed, None)
    return Nothing()


@orchestration
def ingest_partition(context: Context, task: IngestPartition) -> Steps[PagesIngested]:
    """Read one partition to its end, one time box after the other."""
    progress(context, f"ingesting {task.partition.partition_id}", total=task.partition.expected, unit="diamonds")
    return (yield from repeat(context, ingest_pages, task, until=lambda pages: pages.done))


@orchestration
def consolidate_share(context: Context, share: ConsolidationShare) -> Steps[RowsConsolidated]:
    """Claim and price rows until none is left, one time box after the other."""
    progress(context, "consolidating", unit="rows")
    return (yield from repeat(context, consolidate_rows, share, until=lambda rows: rows.finished))


def _to_its_end(context: Context, plan: RunPlan, steps: Steps[RunSummary]) -> Steps[RunSummary]:
    """Take the steps. If they fail, the run's row says why; if the run was cancelled meanwhile, that is its end."""
    try:
        return (yield from steps)
    except TerminalError as error:
        if error.code == RUN_ENDED:
            progress(context, "cancelled")
            return (yield from call(context, end_run, EndRun(run_id=plan.run_id, status=RunStatus.CANCELLED)))
        failed = EndRun(
            run_id=plan.run_id,
            status=RunStatus.FAILED,
            error_code=error.code,
            error=error.message[:ERROR_LENGTH],
        )
        yield from call(context, end_run, failed)
        yield from _announce(context, RunRef(run_id=plan.run_id))
        raise


def _read_all(context: Context, plan: RunPlan) -> Steps[RunSummary]:
    progress(context, "counting")
    shares = yield from call(context, draw_heatmap, plan)
    return (yield from _read(context, plan, shares.partitions))


def _read(context: Context, plan: RunPlan, partitions: list[Partition]) -> Steps[RunSummary]:
    yield from _ingest(context, plan, partitions)
    return (yield from _conclude(context, plan, force=False))


def _ingest(context: Context, plan: RunPlan, partitions: list[Partition]) -> Steps[None]:
    total, diamonds = len(partitions), sum(one.expected for one in partitions)

    def show(done: int) -> None:
        progress(context, "ingesting", done=done, total=total, unit="partitions", diamonds=diamonds)

    show(0)
    tasks = [IngestPartition(plan=plan, partition=partition) for partition in partitions]
    outcomes = yield from fan_out(context, ingest_partition, tasks, on_done=show)
    for outcome in outcomes:
        if outcome.failure is None:
            continue
        if outcome.failure.code == RUN_ENDED:
            raise outcome.failure.error()
        failed = PartitionFailed(
            run_id=plan.run_id,
            partition_id=outcome.task.partition.partition_id,
            error=f"{outcome.failure.message} ({outcome.failure.code})"[:ERROR_LENGTH],
        )
        yield from call(context, record_failed_partition, failed)


def _conclude(context: Context, plan: RunPlan, *, force: bool) -> Steps[RunSummary]:
    """Consolidate unless too much is missing; the watermark moves only when nothing is."""
    run = RunRef(run_id=plan.run_id)
    verdict = yield from call(context, judge_run, run)
    if verdict.decision == "wait" and not force:
        verdict = yield from _await_retries(context, plan, verdict)
    if verdict.decision == "hold" and not force:
        summary = yield from call(context, end_run, EndRun(run_id=plan.run_id, status=RunStatus.HELD))
        yield from _announce(context, run)
        return summary
    yield from _consolidate(context, plan.feed, run)
    if not verdict.complete:
        return (yield from call(context, end_run, EndRun(run_id=plan.run_id, status=RunStatus.PARTIAL)))
    if verdict.capped:
        return (yield from call(context, end_run, EndRun(run_id=plan.run_id, status=RunStatus.COMPLETED)))
    stopped = False
    if plan.run_type == "full" and not plan.max_records:
        progress(context, "marking deleted diamonds")
        missing = yield from call(context, mark_missing, run)
        stopped = not missing.deleted
    progress(context, "moving the watermark")
    moved = yield from call(context, advance_watermark, plan)
    end = EndRun(run_id=plan.run_id, status=RunStatus.COMPLETED, watermark_after=moved.watermark)
    summary = yield from call(context, end_run, end)
    if stopped:
        yield from _announce(context, run)
    return summary


def _announce(context: Context, run: RunRef) -> Steps[None]:
    """Mail people. A mail that fails changes nothing about the run."""
    try:
        yield from call(context, announce, run)
    except TerminalError:
        progress(context, "the alert could not be sent")  # the reason is in the activity's log


def _await_retries(context: Context, plan: RunPlan, verdict: Verdict) -> Steps[Verdict]:
    """Let people retry the failed partitions for a while; what the run then looks like."""
    run = RunRef(run_id=plan.run_id)
    yield from _announce(context, run)
    while verdict.decision == "wait":
        done = verdict.partitions - verdict.unread
        progress(
            context,
            "waiting for retries",
            done=done,
            total=verdict.partitions,
            unit="partitions",
            run_id=str(plan.run_id),
            awaits=INTERRUPTION,
        )
        event = yield from wait_for_event(context, INTERRUPTION, Interruption, verdict.wait_seconds)
        if event and event.retry:
            try:
                reopened = yield from call(context, reopen_run, event.retry)
                yield from _ingest(context, plan, reopened.partitions)
            except TerminalError as error:
                # Requested twice: the first request has read them.
                if error.code != NOTHING_TO_RETRY:
                    raise
        verdict = yield from call(context, judge_run, run)
        if not (event and event.retry):
            break
    return verdict


def _consolidate(context: Context, feed: str, run: RunRef | None) -> Steps[None]:
    progress(context, "consolidating", total=CONSOLIDATION_WORKERS, unit="workers")
    run_id = run.run_id if run else None
    workers = [
        ConsolidationShare(run_id=run_id, feed=feed, worker=f"{run_id or feed}/{number}")
        for number in range(CONSOLIDATION_WORKERS)
    ]
    outcomes = yield from fan_out(context, consolidate_share, workers)
    for outcome in outcomes:
        outcome.result()
