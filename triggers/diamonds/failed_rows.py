"""Routes to raw rows: list those that could not be mapped, see one, and queue them again once the cause is mended."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from orchestrators.diamonds.run import consolidate_feed, feed_instance
from shared.diamonds.ingestion.payloads import LONGEST_ID, storable_text
from shared.diamonds.ingestion.suppliers import check_feed, mapping, price_unit
from shared.diamonds.models import FeedName
from shared.diamonds.pricing import consolidation, failed_rows, replay
from shared.diamonds.pricing.failed_rows import FailedRow
from shared.diamonds.pricing.models import ConsolidateFeed
from shared.diamonds.reporting.stones import Stone, read_stone
from shared.diamonds.runs.verdict import Limits
from shared.diamonds.settings import settings
from shared.platform.cursors import OPENED
from shared.platform.durable import DurableClient
from shared.platform.http import Pagination, Routes
from shared.platform.models import LazyModel
from triggers.diamonds.callers import RUN

routes = Routes(tag="diamonds")

StoneId = Annotated[str, Field(min_length=1, max_length=LONGEST_ID, description="As the supplier writes it")]
Consolidation = Literal["started", "in-the-run-at-work", "in-the-next-run", "nothing-waits"]


class FailedRowsQuery(LazyModel):
    """Which failed rows to list."""

    model_config = ConfigDict(extra="forbid")
    feed: FeedName = "nivoda"
    limit: int = Field(default=50, ge=1, le=100, description="Most rows of one page")
    cursor: Annotated[str, Field(max_length=LONGEST_ID), OPENED] = Field(
        default="", description="`pagination.next` of the page before"
    )


class FailedRows(LazyModel):
    """Rows that could not be mapped, and how many failed for which field."""

    data: list[FailedRow]
    pagination: Pagination
    by_field: dict[str, int] = Field(description="all failed rows of the feed, by the first field that is wrong")


class RequeueRequest(LazyModel):
    """Whose failed rows to try again."""

    model_config = ConfigDict(extra="forbid")
    feed: FeedName = "nivoda"
    supplier_stone_id: StoneId | None = Field(default=None, description="Only this one; left out: all of the feed")
    refused: bool = Field(
        default=False,
        strict=True,
        description="Of all: also those that were discarded with a run, or whose price lay outside the range by which"
        " it was asked for",
    )


class StoneQuery(LazyModel):
    """Which stone to show."""

    model_config = ConfigDict(extra="forbid")
    feed: FeedName = "nivoda"
    supplier_stone_id: StoneId


class RowsRequeued(LazyModel):
    """What became of the request. Repeated, it finds no failed row left, or those that have failed again."""

    feed: FeedName
    requeued: int = Field(description="failed rows that wait for consolidation again")
    waiting: int = Field(description="all rows of the feed that wait now")
    consolidation: Consolidation = Field(description="what prices them; until then, their diamonds stay as they were")


@routes.get("/api/v2/analytics/failed-rows", needs=RUN, summary="Diamonds that were read and could not be priced")
async def diamonds_failed_rows(query: FailedRowsQuery) -> FailedRows:
    """With the reason of each. The cursor is the last id of the page before."""
    check_feed(query.feed)
    page = await failed_rows.listed(query.feed, storable_text(query.cursor), query.limit)
    following = page[-1].supplier_stone_id if len(page) == query.limit else None
    counts = await failed_rows.by_field(query.feed)
    return FailedRows(data=page, pagination=Pagination(limit=query.limit, next=following), by_field=counts)


@routes.get("/api/v2/analytics/stone", needs=RUN, summary="What is known of one stone of a supplier")
async def diamonds_stone(query: StoneQuery) -> Stone:
    """What the supplier sent, why it failed, and the diamonds it became, also those no longer offered."""
    check_feed(query.feed)
    return await read_stone(query.feed, storable_text(query.supplier_stone_id))


@routes.post(
    "/api/v2/triggers/requeue-failed", needs=RUN, summary="Give a feed's failed rows, or one of them, another try"
)
async def diamonds_requeue_failed(body: RequeueRequest, client: DurableClient) -> RowsRequeued:
    """They are judged as a run's rows are, and consolidated at once if the feed's last run was.

    Else the next run judges them, as a held one must not be forced. A price outside the range by which it was asked for
    fails again.
    """
    check_feed(body.feed)
    if body.supplier_stone_id is None:
        requeued = await failed_rows.requeue(body.feed, refused=body.refused)
    else:
        requeued = await failed_rows.requeue_one(body.feed, storable_text(body.supplier_stone_id))
    priced = await _consolidate(body.feed, client)
    waiting = await consolidation.pending_rows(body.feed)
    return RowsRequeued(feed=body.feed, requeued=requeued, waiting=waiting, consolidation=priced)


async def _consolidate(feed: FeedName, client: DurableClient) -> Consolidation:
    when = await replay.when_priced(feed, mapping(feed), price_unit(feed), Limits.of(settings()))
    if when != "now":
        return when
    started = await client.start_if_idle(consolidate_feed, ConsolidateFeed(feed=feed), instance_id=feed_instance(feed))
    return "started" if started else "in-the-run-at-work"
