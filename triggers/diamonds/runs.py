"""A timer and routes that start runs and show them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import azure.functions as func
from pydantic import ConfigDict, Field

from orchestrators.diamonds.run import (
    diamond_run,
    feed_instance,
)
from shared.diamonds.ingestion.suppliers import check_feed, nightly_feeds
from shared.diamonds.models import FeedName
from shared.diamonds.runs import difference, orphans, reports
from shared.diamonds.runs.changes import RunDifference
from shared.diamonds.runs.models import PartitionProgress, RunSummary, RunType, StartRun
from shared.diamonds.runs.refusals import run_in_progress
from shared.diamonds.runs.schedule import nightly_run_type
from shared.diamonds.settings import settings
from shared.platform.cursors import OPENED
from shared.platform.durable import DurableClient, hub_name, new_blueprint
from shared.platform.errors import ManifoldError
from shared.platform.http import Accepted, Page, Pagination, Routes
from shared.platform.models import LazyModel
from triggers.diamonds.callers import RUN

logger = logging.getLogger(__name__)
routes = Routes(tag="diamonds")
timers = new_blueprint()


class RunRequest(LazyModel):
    """Which feed to read, and how much of it."""

    model_config = ConfigDict(extra="forbid")
    run_type: RunType = Field(
        default="incremental", description="full: everything; incremental: what changed since the watermark"
    )
    feed: FeedName = "nivoda"


class RunStarted(Accepted):
    """A run that goes on by itself; `location` shows how far it is."""

    run_id: UUID
    run_type: RunType


class RunsQuery(LazyModel):
    """Which runs to list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most runs of one page")
    cursor: Annotated[int, Field(ge=1, le=100_000), OPENED] = Field(
        default=1, description="`pagination.next` of the page before"
    )
    feed: FeedName | None = Field(default=None, description="Only runs of this feed")


class RunDetail(LazyModel):
    """A run with its partitions, as its rows stand now, and what it changes."""

    run: RunSummary
    difference: RunDifference | None = Field(
        default=None, description="what it would change, or has changed; null until it is judged"
    )
    partitions: list[PartitionProgress]


@routes.post("/api/v2/triggers/scheduler", needs=RUN, summary="Start a run of a feed")
async def diamonds_start_run(body: RunRequest, client: DurableClient) -> RunStarted:
    """Starts in the background; refused with 409 while another run reads the same feed."""
    return await _start(client, body)


@routes.get("/api/v2/analytics/runs", needs=RUN, summary="The runs, newest first")
async def diamonds_list_runs(query: RunsQuery) -> Page[RunSummary]:
    """The runs of every feed, or of one."""
    found, total = await reports.list_runs(query.feed, page=query.cursor, limit=query.limit)
    following = str(query.cursor + 1) if query.cursor * query.limit < total else None
    return Page(data=found, pagination=Pagination(limit=query.limit, next=following))


@routes.get("/api/v2/analytics/runs/{run_id}", needs=RUN, summary="One run with its partitions")
async def diamonds_read_run(run_id: UUID) -> RunDetail:
    return RunDetail(
        run=await reports.summary(run_id),
        difference=await difference.read(run_id),
        partitions=await reports.progress(run_id),
    )


@timers.timer_trigger(schedule="0 0 2 * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def diamonds_nightly(timer: func.TimerRequest, client: Any) -> None:
    """Every night at 02:00, of every feed that FEEDS names: all on FULL_RUN_DAYS, else what changed since the last."""
    run_type = nightly_run_type(datetime.now(UTC), settings().full_run_days)
    feeds = nightly_feeds()
    if not feeds:
        logger.info(
            "No nightly run was started: FEEDS is none. Name a feed there, and give its supplier's address and account."
        )
    for feed in feeds:
        extra = {"feed": feed, "run_type": run_type, "past_due": timer.past_due}
        try:
            started = await _start(DurableClient(client), RunRequest(run_type=run_type, feed=feed))
        except ManifoldError as error:  # one feed's trouble is not the next one's
            logger.warning("The nightly run was not started: %s", error, extra=extra)
        else:
            logger.info("The nightly run was started.", extra=extra | {"run_id": str(started.run_id)})


async def orphaned_runs(client: DurableClient) -> dict[FeedName, UUID]:
    """The run of each feed that is still called running, although the host knows of nothing that works on the feed.

    What a hub of another host works on is that one's to know.
    """
    orphaned: dict[FeedName, UUID] = {}
    running = await orphans.running()
    hub = await hub_name(client) if running else None
    for feed, run in running.items():
        if hub and run.orphaned(hub, at_work=await works_on(feed, client)):
            orphaned[feed] = run.run_id
    return orphaned


async def works_on(feed: FeedName, client: DurableClient) -> bool:
    """Whether an orchestration of this hub works on the feed."""
    instance = await client.find(feed_instance(feed))
    return instance is not None and not instance.state.finished


async def _start(client: DurableClient, request: RunRequest) -> RunStarted:
    check_feed(request.feed)
    run_id = uuid4()
    hub = await hub_name(client)
    other = (await orphans.running()).get(request.feed)
    if other and other.of_others(hub):
        raise run_in_progress(request.feed, other.run_id, elsewhere=True)
    orphan = (await orphaned_runs(client)).get(request.feed)
    start = StartRun(run_id=run_id, feed=request.feed, run_type=request.run_type, abandoned=orphan, hub=hub)
    instance = await client.start(diamond_run, start, instance_id=feed_instance(request.feed))
    return RunStarted(
        id=instance, location=f"/api/v2/analytics/runs/{run_id}", run_id=run_id, run_type=request.run_type
    )
