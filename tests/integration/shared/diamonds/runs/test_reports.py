"""What a run came to is counted from its rows, and runs are listed."""

from datetime import UTC, datetime

import pytest

from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.runs import lifecycle, reports
from shared.diamonds.runs.models import RunStatus


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def test_counts_are_stored_when_the_run_ends(shop, diamonds):
    shop.offer(*(diamonds.stone(f"s{n}", price=n) for n in range(20)))
    run = await diamonds.begin(0, 10, 20, expected=9)
    await copy_pages(shop, run.task(0))
    await lifecycle.partition_failed(run.plan.run_id, "p001", "no")
    running = await reports.summary(run.plan.run_id)
    assert (running.status, running.expected, running.ingested, running.pending) == (RunStatus.RUNNING, 19, 10, 10)
    watermark = datetime(2026, 1, 1, tzinfo=UTC)
    assert (
        await lifecycle.finish_run(run.plan.run_id, RunStatus.PARTIAL, watermark_after=watermark) == RunStatus.PARTIAL
    )
    await diamonds.fetch("delete from diamonds.run_sightings returning 1")
    ended = await reports.summary(run.plan.run_id)
    assert ended.completed_at is not None
    assert ended == running.model_copy(
        update={"status": RunStatus.PARTIAL, "completed_at": ended.completed_at, "watermark_after": watermark}
    )


async def test_runs_are_listed_newest_first_and_by_feed(diamonds):
    order = []
    for feed in ("nivoda", "second", "nivoda"):
        run = await diamonds.begin(0, 10, feed=feed)
        await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)
        order.insert(0, run.plan.run_id)
    listed, total = await reports.list_runs(limit=2)
    assert ([run.run_id for run in listed], total) == (order[:2], 3)
    listed, total = await reports.list_runs(limit=2, page=2)
    assert ([run.run_id for run in listed], total) == (order[2:], 3)
    listed, total = await reports.list_runs("second")
    assert ([run.run_id for run in listed], total) == ([order[1]], 1)
    assert [run.run_id for run in await reports.last_runs()] == [order[0], order[1]]
