"""What stands still is ended or set free, and somebody is mailed."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from activities.diamonds.upkeep import end_lost_repricings, end_lost_runs, recover_claims, watch_watermarks
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.pricing import repricing
from shared.diamonds.pricing.models import RepriceFeed
from shared.diamonds.runs import lifecycle, orphans, reports, watermark
from shared.diamonds.runs.models import RunStatus, WatchFeeds
from shared.platform.durable import Nothing
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import database


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def test_an_orphaned_run_is_ended_and_mailed_once_with_what_to_do(diamonds, shop, mails):
    run = await diamonds.begin(0, 1000)
    shop.offer(diamonds.stone("a"))
    await copy_pages(shop, run.task())
    assert {feed: one.run_id for feed, one in (await orphans.running()).items()} == {"nivoda": run.plan.run_id}
    for _ in range(2):
        await end_lost_runs(WatchFeeds(abandoned=[run.plan.run_id]))
    ended = await reports.summary(run.plan.run_id)
    assert (ended.status, ended.error_code, ended.ingested) == (RunStatus.FAILED, "run-lost", 1)
    (mail,) = mails.mails(10)
    assert mail.subject == "[Manifold] nivoda: the run failed"
    assert f'"run_id": "{run.plan.run_id}"' in mail.text
    assert await orphans.running() == {}
    await diamonds.begin(0, 1000)


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


@pytest.mark.parametrize(("minutes", "status"), [(29, "processing"), (31, "pending")])
async def test_rule_claims_are_stale_after_half_an_hour(plan, minutes, status):
    async with database() as connection:
        await connection.execute(
            "insert into diamonds.raw_diamonds (feed, run_id, supplier_stone_id, offer_id, payload, payload_hash,"
            " consolidation_status, claimed_by, claimed_at) values ('nivoda', %s, 's', 'o', '{}', sha256(''),"
            " 'processing', 'w', now() - %s * interval '1 minute')",
            (plan.run_id, minutes),
        )
    await recover_claims(Nothing())
    async with database() as connection:
        found = await (await connection.execute("select consolidation_status from diamonds.raw_diamonds")).fetchall()
    assert found == [(status,)]


@pytest.mark.parametrize(("hours", "alerts"), [(47, 0), (49, 1)])
async def test_rule_a_watermark_older_than_48_hours_is_told(migrated, marks, mails, hours, alerts):
    await watermark.advance("nivoda", uuid4(), datetime.now(UTC) - timedelta(hours=hours))
    await watch_watermarks(Nothing())
    assert len(mails.mails(10)) == alerts
