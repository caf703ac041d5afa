"""Doors of the diamond workload: start a run by timer or by hand, consolidate by hand or by queue, see how runs go."""

import logging
from typing import Any
from uuid import UUID, uuid4

import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field

from orchestrators.diamonds import consolidate_run, consolidate_share, diamond_run, ingest_partition
from shared.diamonds import reports
from shared.diamonds.models import ConsolidateRun, FeedName, PartitionProgress, RunSummary, RunType, StartRun
from shared.platform.auth import ADMIN
from shared.platform.durable import DurableClient, new_blueprint
from shared.platform.errors import Conflict, InvalidInput
from shared.platform.http import Accepted, Page, Pagination, Routes

logger = logging.getLogger(__name__)
routes = Routes(tag="diamonds")
timers_and_queues = new_blueprint()
orchestrations = (diamond_run, ingest_partition, consolidate_run, consolidate_share)


class RunRequest(BaseModel):
    """Which feed to read, and how much of it."""

    model_config = ConfigDict(extra="forbid")
    run_type: RunType = Field(
        "incremental", description="full: everything; incremental: what changed since the watermark"
    )
    feed: FeedName = "nivoda"


class RunStarted(Accepted):
    """A run that goes on by itself; `location` shows how far it is."""

    run_id: UUID
    run_type: RunType


class RunsQuery(BaseModel):
    """Which runs to list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most runs of one page")
    cursor: int = Field(default=1, ge=1, le=100_000, description="`pagination.next` of the page before")
    feed: FeedName | None = Field(default=None, description="Only runs of this feed")


class RunDetail(BaseModel):
    """A run with its partitions, as its rows stand now."""

    run: RunSummary
    partitions: list[PartitionProgress]


@routes.post("/api/v2/triggers/scheduler", needs=ADMIN, summary="Start a run of a feed")
async def diamonds_start_run(body: RunRequest, client: DurableClient) -> RunStarted:
    """Starts in the background; refused with 409 while another run reads the same feed."""
    return await _start(client, body)


@routes.post("/api/v2/triggers/consolidate", needs=ADMIN, summary="Consolidate what a run has ingested")
async def diamonds_consolidate(body: ConsolidateRun, client: DurableClient) -> Accepted:
    """`force` consolidates in spite of failed partitions; the watermark then stays where it was."""
    await reports.summary(body.run_id)
    instance = await client.start(consolidate_run, body, singleton=f"consolidate-{body.run_id}")
    return Accepted(id=instance, location=f"/api/v2/analytics/runs/{body.run_id}")


@routes.get("/api/v2/analytics/runs", needs=ADMIN, summary="The runs, newest first")
async def diamonds_list_runs(query: RunsQuery) -> Page[RunSummary]:
    """The runs of every feed, or of one. The cursor is the number of the next page."""
    found, total = await reports.list_runs(query.feed, page=query.cursor, limit=query.limit)
    following = str(query.cursor + 1) if query.cursor * query.limit < total else None
    return Page(data=found, pagination=Pagination(limit=query.limit, next=following))


@routes.get("/api/v2/analytics/runs/{run_id}", needs=ADMIN, summary="One run with its partitions")
async def diamonds_read_run(run_id: UUID) -> RunDetail:
    return RunDetail(run=await reports.summary(run_id), partitions=await reports.progress(run_id))


@timers_and_queues.timer_trigger(schedule="0 0 2 * * *", arg_name="timer", run_on_startup=False)
@timers_and_queues.durable_client_input(client_name="client")
async def diamonds_nightly(timer: func.TimerRequest, client: Any) -> None:
    """Every night at 02:00: what changed since the last run."""
    try:
        started = await _start(DurableClient(client), RunRequest(run_type="incremental"))
    except Conflict as busy:
        logger.warning("The nightly run was not started: %s", busy, extra={"past_due": timer.past_due})
    else:
        logger.info("The nightly run was started.", extra={"run_id": str(started.run_id), "past_due": timer.past_due})


@timers_and_queues.service_bus_queue_trigger(arg_name="message", queue_name="consolidate", connection="ServiceBus")
@timers_and_queues.durable_client_input(client_name="client")
async def diamonds_consolidate_message(message: func.ServiceBusMessage, client: Any) -> None:
    """A message {runId, force, traceId} asks for a consolidation. An unreadable one ends in the dead-letter queue."""
    request = _consolidation(message.get_body())
    try:
        await DurableClient(client).start(consolidate_run, request, singleton=f"consolidate-{request.run_id}")
    except Conflict:
        # The same request is being served: a repeated delivery has nothing left to do.
        logger.info("The run is being consolidated already.", extra={"run_id": str(request.run_id)})


class ConsolidateMessage(BaseModel):
    """The body of a message on the queue `consolidate`, as the system being replaced sent it."""

    model_config = ConfigDict(extra="ignore")
    runId: UUID  # noqa: N815 - the name on the wire
    traceId: str | None = Field(default=None, max_length=100)  # noqa: N815 - the name on the wire
    force: bool = False


def _consolidation(body: bytes) -> ConsolidateRun:
    try:
        asked = ConsolidateMessage.model_validate_json(body)
    except ValueError as error:
        raise InvalidInput(
            f"A message on the queue consolidate cannot be read: {str(error)[:500]}.",
            remedy="Send JSON {runId, force, traceId}.",
        ) from None
    return ConsolidateRun(run_id=asked.runId, force=asked.force, trace_id=asked.traceId)


async def _start(client: DurableClient, asked: RunRequest) -> RunStarted:
    run_id = uuid4()
    request = StartRun(run_id=run_id, feed=asked.feed, run_type=asked.run_type)
    instance = await client.start(diamond_run, request, singleton=f"diamonds-{asked.feed}")
    return RunStarted(id=instance, location=f"/api/v2/analytics/runs/{run_id}", run_id=run_id, run_type=asked.run_type)
