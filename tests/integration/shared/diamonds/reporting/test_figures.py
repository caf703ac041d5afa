"""Figures of the feeds: what failed, what waits, how old everything is."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.reporting import figures
from shared.diamonds.runs import lifecycle, watermark
from shared.diamonds.runs.models import RunStatus
from tests.fresh_settings import forget_settings


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def test_failed_partitions_come_by_pages_those_of_the_newest_run_first(diamonds):
    runs = []
    for feed in ("nivoda", "second"):
        run = await diamonds.begin(0, 10, 20, feed=feed)
        for partition in ("p000", "p001"):
            await lifecycle.partition_failed(run.plan.run_id, partition, "it said no")
        runs.append(run.plan.run_id)
    first, second = await figures.failed_workers(limit=3), await figures.failed_workers(page=2, limit=3)
    assert [(one.run_id, one.partition_id) for one in first + second] == [
        (runs[1], "p000"), (runs[1], "p001"), (runs[0], "p000"), (runs[0], "p001"),
    ]  # fmt: skip
    assert {one.error for one in first} == {"it said no"}
    assert [one.prices.minimum for one in await figures.failed_workers(runs[0])] == [0, 10]


async def test_raw_rows_are_counted_by_what_became_of_them(diamonds, shop):
    shop.offer(diamonds.stone("good"), diamonds.stone("bad", carats=None))
    run = await diamonds.begin(0, 1000)
    await copy_pages(shop, run.task())
    [waiting] = await figures.consolidation()
    assert (waiting.pending, waiting.done, waiting.last_consolidated_at) == (2, 0, None)
    assert waiting.oldest_pending_at
    await consolidate(ConsolidateRows(run_id=run.plan.run_id, feed="nivoda", worker="w", seconds=60), NIVODA, "cents")
    await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)
    [ended] = await figures.consolidation()
    assert (ended.pending, ended.done, ended.failed, ended.oldest_pending_at) == (0, 1, 1, None)
    assert ended.last_consolidated_at


async def test_a_feed_is_shown_that_is_read_by_night_or_was_read_once(diamonds, offers, storage, monkeypatch):
    monkeypatch.setenv("WATERMARK_CONTAINER", f"watermarks-{uuid4()}")
    forget_settings()
    await offers.offer({"feed": "second"}, {"feed": "second", "stone": "s2", "status": "deleted"})
    run = await diamonds.begin(0, 10, feed="second")
    await watermark.advance("second", run.plan.run_id, datetime.now(UTC) - timedelta(hours=3))
    nightly, read = await figures.feeds(["nivoda"])
    assert (nightly.feed, nightly.nightly, nightly.watermark, nightly.last_run) == ("nivoda", True, None, None)
    assert nightly.next_run_at
    assert nightly.next_run_at.hour == 2
    assert (read.feed, read.nightly, read.next_run_at, read.next_run_type) == ("second", False, None, None)
    assert (read.active, read.deleted, read.watermark_age_hours) == (1, 1, 3.0)
    assert read.last_run
    assert read.last_run.run_id == run.plan.run_id
