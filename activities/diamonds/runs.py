"""One side effect each of a run's life; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from shared.diamonds.ingestion.suppliers import mapping, price_unit
from shared.diamonds.models import ERROR_LENGTH
from shared.diamonds.pricing.failed_rows import fail_contradicting, requeue_if_read_anew
from shared.diamonds.pricing.review import review
from shared.diamonds.pricing.statements import fingerprint
from shared.diamonds.reporting import alerts
from shared.diamonds.runs import difference, lifecycle, missing, orphans, reports, retries, watermark
from shared.diamonds.runs.changes import RunDifference
from shared.diamonds.runs.models import (
    EPOCH,
    NO_END,
    ConsolidateRun,
    EndRun,
    MissingDiamonds,
    PartitionFailed,
    PartitionStatus,
    Reopened,
    RetryRun,
    RunPlan,
    RunRef,
    RunStatus,
    RunSummary,
    StartRun,
    Verdict,
    WatermarkMoved,
    Window,
)
from shared.diamonds.runs.refusals import run_ended
from shared.diamonds.runs.verdict import Limits, judge, objections
from shared.diamonds.settings import settings
from shared.platform.alerting.alerts import try_to_send
from shared.platform.durable import Nothing, activity

REVIEW_LOOK_SECONDS = 2.0
"""How often the review of a run looks whether the run was cancelled."""

logger = logging.getLogger(__name__)


@activity
async def plan_run(request: StartRun) -> RunPlan:
    """Claim the feed and fix the update window: what changed since the watermark, or everything.

    What changes while a full run reads must not fall out of its window: it would count as no longer offered.
    """
    now = datetime.now(UTC)
    if request.abandoned and (ended := await orphans.end(request.abandoned)):
        await try_to_send(alerts.run_failed(ended))
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
async def record_failed_partition(failed: PartitionFailed) -> Nothing:
    """Write down why a partition could not be read, for the summary, the alert and the retry."""
    await lifecycle.partition_failed(failed.run_id, failed.partition_id, failed.error)
    return Nothing()


@activity
async def judge_run(run: RunRef) -> Verdict:
    """Decide whether what was ingested may be consolidated: by what was read, and by what it would change."""
    summary = await reports.summary(run.run_id)
    if summary.status is not RunStatus.RUNNING:
        raise run_ended(run.run_id, summary.status)
    config = settings()
    verdict = judge(await reports.progress(run.run_id), config.partial_share, config.partial_wait_seconds)
    if verdict.decision == "hold" or await difference.was_released(run.run_id):
        return verdict
    change, odd = await lifecycle.while_running(run.run_id, _review(summary), every=REVIEW_LOOK_SECONDS)
    objected = objections(change, Limits.of(config))
    if not objected:
        await fail_contradicting(summary.feed, run.run_id, odd)
        return verdict
    reason = "; ".join(one.text for one in objected)
    await difference.withhold(run.run_id, objected[0].code, f"{reason}."[:ERROR_LENGTH])
    return verdict.model_copy(update={"decision": "hold", "wait_seconds": 0})


async def _review(run: RunSummary) -> tuple[RunDifference, list[str]]:
    not_seen = await missing.count_missing(run.run_id)
    how = mapping(run.feed), price_unit(run.feed)
    await requeue_if_read_anew(run.feed, fingerprint(*how))  # here, so that these rows are judged with the others
    change, odd = await review(run.run_id, run.feed, *how, listed=run.ingested, missing=not_seen)
    await difference.save(run.run_id, change)
    return change, odd


@activity
async def mark_missing(run: RunRef) -> MissingDiamonds:
    """Mark the diamonds deleted that this complete full run did not see, unless they are too many to be believed."""
    return await missing.mark_missing_deleted(run.run_id, settings().delete_share_limit)


@activity
async def advance_watermark(plan: RunPlan) -> WatermarkMoved:
    """Let the next incremental run begin where this one began, less the overlap."""
    reached = plan.started_at - timedelta(seconds=settings().watermark_overlap_seconds)
    moved = await watermark.advance(plan.feed, plan.run_id, reached)
    logger.info("A watermark has moved.", extra={"feed": str(plan.feed), "run_id": str(plan.run_id)})
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
        "The consolidation of a run was requested.",
        extra={"run_id": str(request.run_id), "trace_id": request.trace_id, "force": request.force},
    )
    return await retries.resume_run(request.run_id, request.attempt, force=request.force, trace_id=request.trace_id)


@activity
async def announce(run: RunRef) -> Nothing:
    """Mail what needs a person about this run, once per cause and day."""
    failed = [one for one in await reports.progress(run.run_id) if one.status is PartitionStatus.FAILED]
    await alerts.announce(await reports.summary(run.run_id), failed)
    return Nothing()
