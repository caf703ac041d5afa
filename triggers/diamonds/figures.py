"""Routes to figures of the feeds: failed partitions, watermarks, what is consolidated and on offer."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.diamonds.ingestion.suppliers import nightly_feeds
from shared.diamonds.reporting import analytics, figures
from shared.diamonds.reporting.figures import ConsolidationFigures, FailedWorker, FeedFigures
from shared.diamonds.runs import reports
from shared.platform.cursors import OPENED
from shared.platform.http import Page, Pagination, Routes
from shared.platform.models import LazyModel
from triggers.diamonds.callers import RUN

routes = Routes(tag="diamonds")


class WorkersQuery(LazyModel):
    """Which failed partitions to list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most partitions of one page")
    cursor: Annotated[int, Field(ge=1, le=100_000), OPENED] = Field(
        default=1, description="`pagination.next` of the page before"
    )


class FailedWorkers(LazyModel):
    """The failed partitions of a run."""

    run_id: UUID
    data: list[FailedWorker]


class Feeds(LazyModel):
    """Every feed."""

    data: list[FeedFigures]


class Consolidation(LazyModel):
    """Every feed that has been read."""

    data: list[ConsolidationFigures]


@routes.get("/api/v2/triggers/failed-workers/{run_id}", needs=RUN, summary="The failed partitions of a run")
async def diamonds_failed_workers_of_run(run_id: UUID) -> FailedWorkers:
    await reports.summary(run_id)
    return FailedWorkers(run_id=run_id, data=await figures.failed_workers(run_id, limit=1_000))


@routes.get("/api/v2/analytics/failed-workers", needs=RUN, summary="Failed partitions of all runs, newest run first")
async def diamonds_failed_workers(query: WorkersQuery) -> Page[FailedWorker]:
    """Those that have not been read since."""
    page = await figures.failed_workers(page=query.cursor, limit=query.limit)
    following = str(query.cursor + 1) if len(page) == query.limit else None
    return Page(data=page, pagination=Pagination(limit=query.limit, next=following))


@routes.get("/api/v2/analytics/feeds", needs=RUN, summary="How each feed stands")
async def diamonds_feeds() -> Feeds:
    """Its watermark and how old that is, its last run, and the diamonds on offer."""
    return Feeds(data=await figures.feeds(nightly_feeds()))


@routes.get("/api/v2/analytics/consolidation", needs=RUN, summary="What is consolidated, and what waits for it")
async def diamonds_consolidation() -> Consolidation:
    """Raw rows by status, the oldest that waits, and when the last run was consolidated."""
    return Consolidation(data=await figures.consolidation())


@routes.get("/api/v2/analytics/summary", needs=RUN, summary="What is on offer, in figures")
async def diamonds_summary() -> analytics.Summary:
    """Diamonds by status, shape, availability and price, and each feed's last run, as of this moment."""
    return await analytics.summarise()
