"""Old rows go, and people hear of what stands still."""

from datetime import timedelta

import pytest

from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.runs import lifecycle, purge, reports
from shared.diamonds.runs.models import RunStatus
from shared.platform.stores.postgres import database

DAY = timedelta(days=1)
RAW = "select supplier_stone_id from diamonds.raw_diamonds order by 1"


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def full_run(diamonds, shop, *stones, days_ago=0):
    """A completed run that began and ended so long ago, with what it stored; all of it consolidated."""
    shop.stones.clear()
    shop.offer(*stones)
    run = await diamonds.begin(0, 1000)
    await copy_pages(shop, run.task())
    async with database() as connection:
        await connection.execute(
            "update diamonds.raw_diamonds set consolidation_status = 'done', updated_at = updated_at - %s"
            " where run_id = %s and consolidation_status = 'pending'",
            (days_ago * DAY, run.plan.run_id),
        )
        await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)
    async with database() as connection:
        await connection.execute(
            "update diamonds.run_metadata set started_at = started_at - %(ago)s, completed_at = completed_at - %(ago)s"
            " where run_id = %(run)s",
            {"ago": days_ago * DAY, "run": run.plan.run_id},
        )
    return run.plan.run_id


async def purge_all(unseen, ended, **options):
    done = await purge.purge(unseen * DAY, ended * DAY, 60, **options)
    assert done.finished
    return done


async def test_raw_rows_that_no_run_has_seen_for_long_are_purged(shop, diamonds):
    a, b, c = (diamonds.stone(name) for name in ("a", "b", "c"))
    await full_run(diamonds, shop, a, b, c, days_ago=100)
    await full_run(diamonds, shop, a, b, days_ago=10)  # unchanged, but seen
    done = await purge_all(90, 120)
    assert (done.raw, await diamonds.fetch(RAW)) == (1, [("a",), ("b",)])
    assert (await purge_all(90, 120)).raw == 0


async def test_a_row_that_waits_for_consolidation_is_never_purged(shop, diamonds):
    await full_run(diamonds, shop, diamonds.stone("a"), diamonds.stone("b"), days_ago=100)
    await diamonds.fetch(
        "update diamonds.raw_diamonds set consolidation_status = 'pending' where supplier_stone_id = 'a' returning 1"
    )
    await purge_all(90, 120)
    assert await diamonds.fetch(RAW) == [("a",)]


async def test_the_walk_over_the_raw_rows_reaches_the_last_in_small_steps(shop, diamonds, monkeypatch):
    monkeypatch.setattr(purge, "WALK_ROWS", 7)
    await full_run(diamonds, shop, *(diamonds.stone(f"s{n:03}") for n in range(50)), days_ago=100)
    assert (await purge_all(90, 120)).raw == 50


async def test_details_of_old_runs_go_and_their_counts_stay(shop, diamonds):
    old = await full_run(diamonds, shop, diamonds.stone("a"), diamonds.stone("b"), days_ago=40)
    young = await full_run(diamonds, shop, diamonds.stone("a"), days_ago=20)
    before = await reports.summary(old)
    done = await purge_all(90, 30)
    assert (done.sightings, done.partitions, done.raw) == (2, 1, 0)
    assert (await reports.summary(old), await reports.progress(old)) == (before, [])
    assert before.ingested == 2
    assert len(await reports.progress(young)) == 1
    assert await diamonds.fetch("select distinct run_id from diamonds.run_sightings") == [(young,)]


async def test_a_running_run_keeps_its_details_however_old(shop, diamonds):
    run = await diamonds.begin(0, 1000)
    shop.offer(diamonds.stone("a"))
    await copy_pages(shop, run.task())
    await diamonds.fetch("update diamonds.run_metadata set started_at = started_at - interval '1 year' returning 1")
    assert (await purge_all(90, 30)).sightings == 0


async def test_a_purge_stops_when_its_time_is_up_and_goes_on_from_there(shop, diamonds, monkeypatch):
    monkeypatch.setattr(purge, "WALK_ROWS", 10)
    await full_run(diamonds, shop, *(diamonds.stone(f"s{n:03}") for n in range(30)), days_ago=100)
    ticks = iter(range(100))
    first = await purge.purge(90 * DAY, 120 * DAY, 2, clock=lambda: next(ticks))
    assert (first.raw, first.after, first.finished) == (10, ("nivoda", "s009"), False)
    assert (await purge_all(90, 120, after=first.after)).raw == 20
