"""Old rows go, and people hear of what stands still."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from activities.diamonds.upkeep import end_lost_repricings, end_lost_runs
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.models import Nothing
from shared.diamonds.pricing import repricing
from shared.diamonds.pricing.models import RepriceFeed
from shared.diamonds.reporting import watch
from shared.diamonds.runs import lifecycle, orphans, purge, reports, retries, watermark
from shared.diamonds.runs.models import RunStatus, WatchFeeds
from shared.platform.errors import Conflict
from shared.platform.settings import forget_settings
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


async def test_an_orphaned_run_is_ended_and_mailed_once_with_what_to_do(diamonds, shop, mails):
    run = await diamonds.begin(0, 1000)
    shop.offer(diamonds.stone("a"))
    await copy_pages(shop, run.task())
    assert await orphans.running() == {"nivoda": run.plan.run_id}
    for _ in range(2):
        await end_lost_runs(WatchFeeds(abandoned=[run.plan.run_id]))
    ended = await reports.summary(run.plan.run_id)
    assert (ended.status, ended.error_code, ended.ingested) == (RunStatus.FAILED, "run-lost", 1)
    (mail,) = mails.mails(10)
    assert mail.subject == "[Manifold] nivoda: the run failed"
    assert f'"run_id": "{run.plan.run_id}"' in mail.text
    assert await orphans.running() == {}
    await diamonds.begin(0, 1000)


async def test_an_orphaned_run_can_be_taken_up_again(diamonds):
    run = await diamonds.begin(0, 1000)
    await orphans.end(run.plan.run_id)
    assert (await retries.resume_run(run.plan.run_id, uuid4())).run_id == run.plan.run_id
    assert (await reports.summary(run.plan.run_id)).status is RunStatus.RUNNING


async def test_a_run_that_ends_by_itself_meanwhile_is_no_orphan(diamonds, mails):
    run = await diamonds.begin(0, 1000)
    await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)
    await end_lost_runs(WatchFeeds(abandoned=[run.plan.run_id]))
    assert (await reports.summary(run.plan.run_id)).status is RunStatus.COMPLETED
    assert mails.mails(10) == []


async def test_a_repricing_that_stands_still_is_ended_and_told(diamonds, mails):
    silent, alive = RepriceFeed(feed="nivoda"), RepriceFeed(feed="brilliant")
    for request in (silent, alive):
        await repricing.begin(request)
    await diamonds.fetch(
        "update diamonds.repricings set updated_at = now() - interval '1 hour' where feed = 'nivoda' returning 1"
    )
    for _ in range(2):
        await end_lost_repricings(Nothing())
    assert (await repricing.read_repricing(silent.repricing_id)).status == "failed"
    assert (await repricing.read_repricing(alive.repricing_id)).status == "running"
    (mail,) = mails.mails(10)
    assert mail.subject == "[Manifold] nivoda: the re-pricing failed"
    with pytest.raises(Conflict):
        await repricing.reprice(silent.repricing_id, 1)


@pytest.fixture
def _marks(storage, monkeypatch):
    monkeypatch.setenv("WATERMARK_CONTAINER", f"watermarks-{uuid4()}")
    forget_settings()


@pytest.mark.usefixtures("_marks")
async def test_a_watermark_that_stands_still_is_told_once_a_day(mails):
    now = datetime.now(UTC)
    await watermark.advance("nivoda", uuid4(), now - timedelta(hours=49))
    await watermark.advance("brilliant", uuid4(), now - timedelta(hours=47))
    for _ in range(2):
        assert await watch.watermarks(["nivoda", "brilliant"], timedelta(hours=48)) == ["nivoda"]
    (mail,) = mails.mails(10)
    assert mail.subject == "[Manifold] nivoda: the watermark stands still"


@pytest.mark.usefixtures("_marks")
async def test_a_feed_that_never_completed_counts_from_its_first_run(diamonds, mails):
    assert await watch.watermarks(["nivoda"], 2 * DAY) == [], "a new app has nothing to tell"
    await diamonds.begin(0, 10)
    assert await watch.watermarks(["nivoda"], 2 * DAY) == []
    await diamonds.fetch("update diamonds.run_metadata set started_at = started_at - interval '3 days' returning 1")
    assert await watch.watermarks(["nivoda"], 2 * DAY) == ["nivoda"]
    assert len(mails.mails(10)) == 1
