"""Count at the supplier and read its pages; both may be delivered twice and change nothing the second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.diamonds.ingestion import heatmap
from shared.diamonds.ingestion.models import IngestPages, IngestPartition, PagesIngested
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.ingestion.suppliers import supplier
from shared.diamonds.reporting import alerts
from shared.diamonds.runs import lifecycle
from shared.diamonds.runs.models import EVERY_PRICE, Partitions, PriceRange, RunPlan, Window
from shared.diamonds.settings import settings
from shared.platform.alerting.alerts import try_to_send
from shared.platform.durable import activity

if TYPE_CHECKING:
    from shared.diamonds.ingestion.suppliers.base import Supplier

COUNTING_LOOK_SECONDS = 0.5
"""How often the heatmap's counting looks whether the run was cancelled."""
READING_LOOK_SECONDS = 5.0
"""How often reading does so between its batches, which look anyway: for when the supplier does not answer."""


@activity
async def draw_heatmap(plan: RunPlan) -> Partitions:
    """Ask the supplier where on the price scale the diamonds lie, and cut the scale into even shares."""
    saved = await lifecycle.load_partitions(plan.run_id)
    queries = 0
    if not saved:
        drawn = await lifecycle.while_running(plan.run_id, _draw(plan), every=COUNTING_LOOK_SECONDS)
        saved = await lifecycle.save_partitions(plan.run_id, drawn)
        queries = drawn.counts_asked
    return Partitions(total=sum(one.expected for one in saved), partitions=saved, counts_asked=queries)


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
        return await feed.count(None, window) - await feed.count(EVERY_PRICE, window)

    first = await difference()
    # Asked again, since one that goes between the two counts makes a difference, too.
    return max(min(first, await difference()), 0) if first > 0 else 0


@activity
async def ingest_pages(task: IngestPartition) -> PagesIngested:
    """Copy the partition's pages from its progress mark on, for one time box."""
    return await lifecycle.while_running(task.plan.run_id, _copy(task), every=READING_LOOK_SECONDS)


async def _copy(task: IngestPartition) -> PagesIngested:
    pages = IngestPages(plan=task.plan, partition=task.partition, seconds=settings().ingest_seconds)
    async with supplier(task.plan.feed) as feed:
        return await copy_pages(feed, pages)
