"""Routes and a queue to control runs: cancel one, read its failed partitions again, consolidate it."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import Any
from uuid import UUID

import azure.functions as func
from pydantic import ConfigDict, Field

from orchestrators.diamonds.run import INTERRUPTION, consolidate_run, feed_instance, retry_run
from shared.diamonds.ingestion.suppliers import feed_names
from shared.diamonds.runs import lifecycle, orphans, reports, retries
from shared.diamonds.runs.models import (
    ConsolidateRun,
    Interruption,
    PartitionId,
    RetryRun,
    RunStatus,
    RunSummary,
    TraceId,
)
from shared.diamonds.runs.refusals import RUN_COMPLETED, RUN_IN_PROGRESS, run_in_progress
from shared.platform.durable import DurableClient, hub_name, new_blueprint
from shared.platform.errors import Conflict, InvalidInput, NotFound
from shared.platform.http import Accepted, Routes
from shared.platform.models import LazyModel
from triggers.diamonds.callers import RUN
from triggers.diamonds.runs import works_on

logger = logging.getLogger(__name__)
routes = Routes(tag="diamonds")
queues = new_blueprint()
BEGIN_SECONDS = 15
"""How long a cancelled run may take to its first step, which on a cold host are some seconds."""
CONSOLIDATE = "consolidate"


class CancelRequest(LazyModel):
    """Which run to cancel."""

    model_config = ConfigDict(extra="forbid")
    run_id: UUID


class ConsolidateRequest(LazyModel):
    """Which run to consolidate; `force` does so in spite of failed partitions."""

    model_config = ConfigDict(extra="forbid")
    run_id: UUID
    force: bool = Field(default=False, strict=True)
    trace_id: TraceId | None = None


class RetryRequest(LazyModel):
    """Which run's failed partitions to read again: all of them, or one."""

    model_config = ConfigDict(extra="forbid")
    run_id: UUID
    partition_id: PartitionId | None = None


class ConsolidateMessage(LazyModel):
    """The body of a message on the queue `consolidate`, as the system being replaced sent it."""

    model_config = ConfigDict(extra="ignore")
    runId: UUID  # noqa: N815 - the name on the wire
    traceId: TraceId | None = None  # noqa: N815 - the name on the wire
    force: bool = False


@routes.post("/api/v2/triggers/cancel", needs=RUN, summary="Cancel a run")
async def diamonds_cancel_run(body: CancelRequest, client: DurableClient) -> RunSummary:
    """What counts or reads for it stops within seconds. A run that is held for what it would change is discarded."""
    before = await _begun(body.run_id, client)
    await lifecycle.cancel_run(body.run_id)
    if before.status is RunStatus.RUNNING:
        await _interrupt(client, before, Interruption())
    return await reports.summary(body.run_id)


@routes.post("/api/v2/triggers/retry-workers", needs=RUN, summary="Read failed partitions of a run again")
async def diamonds_retry_workers(body: RetryRequest, client: DurableClient) -> Accepted:
    """Then the run goes on as if they had not failed. Refused with 409 if none has, or while the feed is being read."""
    run = await reports.summary(body.run_id)
    partition_ids = [body.partition_id] if body.partition_id else None
    await retries.check_failed(run, partition_ids)
    retry = RetryRun(run_id=body.run_id, partition_ids=partition_ids)
    if run.status is not RunStatus.RUNNING:
        await orphans.adopt(run.run_id, await hub_name(client))
        await client.start(retry_run, retry, instance_id=feed_instance(run.feed))
    elif await _waits(client, run):
        await _interrupt(client, run, Interruption(retry=retry))
    else:
        raise run_in_progress(run.feed, run.run_id)
    return _accepted(run)


@routes.post("/api/v2/triggers/consolidate", needs=RUN, summary="Consolidate what a run has ingested")
async def diamonds_consolidate(body: ConsolidateRequest, client: DurableClient) -> Accepted:
    """`force` releases a held run: in spite of failed partitions (the watermark stays), or of what it would change."""
    return await _consolidate(client, ConsolidateRun(run_id=body.run_id, force=body.force, trace_id=body.trace_id))


@queues.service_bus_queue_trigger(arg_name="message", queue_name=CONSOLIDATE, connection="ServiceBus")
@queues.durable_client_input(client_name="client")
async def diamonds_consolidate_message(message: func.ServiceBusMessage, client: Any) -> None:
    """A message {runId, force, traceId} asks for a consolidation. What cannot be done ends in the dead-letter queue."""
    request = _read(message)
    try:
        await _consolidate(DurableClient(client), request)
    except Conflict as refusal:
        # A repeated delivery, or a run that does this anyway. With `force` it ends as a dead letter.
        settled = refusal.code == RUN_COMPLETED or (refusal.code == RUN_IN_PROGRESS and not request.force)
        if not settled:
            raise
        logger.info(
            "A requested consolidation needs no work: %s",
            refusal,
            extra={"run_id": str(request.run_id), "trace_id": request.trace_id},
        )


async def _begun(run_id: UUID, client: DurableClient) -> RunSummary:
    """The run. One that was started a moment ago has no row until its first step: that is waited for.

    Raises:
        NotFound: there is no such run, and none that begins.
    """
    give_up = monotonic() + BEGIN_SECONDS
    while True:
        try:
            return await reports.summary(run_id)
        except NotFound:
            if monotonic() >= give_up or not any([await works_on(feed, client) for feed in feed_names()]):
                raise
        await asyncio.sleep(0.2)


async def _consolidate(client: DurableClient, request: ConsolidateRun) -> Accepted:
    run = await reports.summary(request.run_id)
    if run.status is RunStatus.RUNNING:
        # A run that waits for retries consolidates by itself later; forced, it does so now.
        if not (request.force and await _waits(client, run)):
            raise run_in_progress(run.feed, run.run_id)
        await _interrupt(client, run, Interruption())
        return _accepted(run)
    retries.check_resumable(run)
    await orphans.adopt(run.run_id, await hub_name(client))
    await client.start(consolidate_run, request, instance_id=feed_instance(run.feed))
    return _accepted(run)


def _read(message: func.ServiceBusMessage) -> ConsolidateRun:
    try:
        body = ConsolidateMessage.model_validate_json(message.get_body())
    except ValueError as error:
        raise InvalidInput(
            f"A message on the queue consolidate cannot be read: {str(error)[:500]}.",
            remedy="Send JSON {runId, force, traceId}.",
        ) from None
    return ConsolidateRun(run_id=body.runId, force=body.force, trace_id=body.traceId or message.correlation_id)


async def _waits(client: DurableClient, run: RunSummary) -> bool:
    """Whether the run waits for its failed partitions to be retried: its instance says which event it awaits."""
    instance = await client.find(feed_instance(run.feed))
    progress = instance.progress if instance else None
    return isinstance(progress, dict) and (progress.get("awaits"), progress.get("run_id")) == (
        INTERRUPTION,
        str(run.run_id),
    )


async def _interrupt(client: DurableClient, run: RunSummary, interruption: Interruption) -> None:
    if await _waits(client, run):
        await client.raise_event(feed_instance(run.feed), INTERRUPTION, interruption)


def _accepted(run: RunSummary) -> Accepted:
    return Accepted(id=feed_instance(run.feed), location=f"/api/v2/analytics/runs/{run.run_id}")
