"""Ended runs that go on: a repeated delivery finds its own, another request is refused."""

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.runs import lifecycle, reports, retries
from shared.diamonds.runs.missing import mark_missing_deleted
from shared.diamonds.runs.models import PartitionStatus, RunStatus
from shared.platform.errors import Conflict


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def held(diamonds, *edges, failed=("p000",)):
    run = await diamonds.begin(*edges)
    for partition in failed:
        await lifecycle.partition_failed(run.plan.run_id, partition, "no")
    await lifecycle.finish_run(run.plan.run_id, RunStatus.HELD, error=("supplier-refused", "It said no."))
    return run


async def test_defect_a_retry_decrements_blindly(shop, diamonds):
    """Of the system being replaced. Here a repeated retry gives what is left, and counts come from rows."""
    shop.offer(*(diamonds.stone(f"s{n}", price=n) for n in range(20)))
    run = await held(diamonds, 0, 10, 20, failed=("p000", "p001"))
    attempt = uuid4()
    first = await retries.reopen_run(run.plan.run_id, attempt)
    assert first == run.partitions
    await copy_pages(shop, run.task(0))
    assert await retries.reopen_run(run.plan.run_id, attempt) == [run.partitions[1]]
    done, _ = await reports.progress(run.plan.run_id)
    assert (done.status, done.records) == (PartitionStatus.COMPLETED, 10)
    await copy_pages(shop, run.task(1))
    assert await retries.reopen_run(run.plan.run_id, attempt) == []
    assert (await reports.summary(run.plan.run_id)).ingested == 20


async def test_a_run_that_goes_on_forgets_why_it_had_failed(diamonds):
    run = await held(diamonds, 0, 10)
    before = await reports.summary(run.plan.run_id)
    assert (before.error_code, before.error) == ("supplier-refused", "It said no.")
    await retries.reopen_run(run.plan.run_id, uuid4())
    after = await reports.summary(run.plan.run_id)
    assert (after.status, after.error_code, after.error) == (RunStatus.RUNNING, None, None)


async def test_a_consolidation_resumes_a_run_once_and_keeps_its_trace(diamonds):
    run = await held(diamonds, 0, 10)
    attempt = uuid4()
    for _ in range(2):
        assert await retries.resume_run(run.plan.run_id, attempt, trace_id="t-1") == run.plan
    with pytest.raises(Conflict) as refused:
        await retries.resume_run(run.plan.run_id, uuid4(), trace_id="t-2")
    assert refused.value.code == "run-in-progress"
    summary = await reports.summary(run.plan.run_id)
    assert (summary.status, summary.trace_id) == (RunStatus.RUNNING, "t-1")


@pytest.mark.parametrize(
    ("status", "code"), [(RunStatus.COMPLETED, "run-completed"), (RunStatus.CANCELLED, "run-ended")]
)
async def test_what_is_done_or_cancelled_is_not_resumed(diamonds, status, code):
    run = await diamonds.begin(0, 10)
    await lifecycle.finish_run(run.plan.run_id, status)
    with pytest.raises(Conflict) as refused:
        await retries.resume_run(run.plan.run_id, uuid4())
    assert refused.value.code == code
    with pytest.raises(Conflict) as refused:
        retries.check_resumable(await reports.summary(run.plan.run_id))
    assert refused.value.code == code


async def test_a_held_run_waits_for_the_run_on_its_feed(diamonds):
    run = await held(diamonds, 0, 10)
    await diamonds.begin(0, 10)
    with pytest.raises(Conflict) as refused:
        await retries.resume_run(run.plan.run_id, uuid4())
    assert refused.value.code == "run-in-progress"
    assert (await reports.summary(run.plan.run_id)).status is RunStatus.HELD


async def test_there_is_nothing_to_retry_where_nothing_failed(diamonds):
    run = await held(diamonds, 0, 10, 20)
    summary = await reports.summary(run.plan.run_id)
    await retries.check_failed(summary, None)
    await retries.check_failed(summary, ["p000"])
    with pytest.raises(Conflict) as refused:
        await retries.check_failed(summary, ["p001"])
    assert refused.value.code == "nothing-to-retry"


async def test_a_full_run_that_is_completed_days_later_deletes_nothing_that_was_listed_since(shop, diamonds):
    old, new = diamonds.stone("old", price=1), diamonds.stone("new", price=1)
    shop.offer(old)
    full = await diamonds.begin(0, 10, 20)
    await copy_pages(shop, full.task(0))
    await lifecycle.partition_failed(full.plan.run_id, "p001", "no")
    await lifecycle.finish_run(full.plan.run_id, RunStatus.HELD)
    later = await diamonds.begin(0, 20, run_type="incremental")
    shop.offer(new)
    await copy_pages(shop, later.task())
    await lifecycle.finish_run(later.plan.run_id, RunStatus.COMPLETED)
    await diamonds.fetch(
        "insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, price_model_price,"
        " price_per_carat, retail_price, markup_ratio, availability)"
        " select 'nivoda', id, id, 'ROUND', 1, 1, 1, 1, 1.15, 'available' from unnest(array['old', 'new', 'gone']) id"
        " returning 1"
    )
    await retries.reopen_run(full.plan.run_id, uuid4())
    await copy_pages(shop, full.task(1))
    assert (await mark_missing_deleted(full.plan.run_id, 0.5)).missing == 1
    deleted = "select supplier_stone_id from diamonds.diamonds where status = 'deleted'"
    assert await diamonds.fetch(deleted) == [("gone",)]


async def test_the_run_says_that_too_many_diamonds_were_missing(shop, diamonds):
    run = await diamonds.begin(0, 10)
    await copy_pages(shop, run.task())
    await diamonds.fetch(
        "insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, price_model_price,"
        " price_per_carat, retail_price, markup_ratio, availability)"
        " values ('nivoda', 's1', 's1', 'ROUND', 1, 1, 1, 1, 1.15, 'available') returning 1"
    )
    for _ in range(2):
        assert not (await mark_missing_deleted(run.plan.run_id, 0.2)).deleted
    summary = await reports.summary(run.plan.run_id)
    assert (summary.offered, summary.missing, summary.deleted, summary.error_code) == (1, 1, 0, "deletion-stopped")
    assert "1 of 1 diamonds (100%)" in str(summary.error)
    assert timedelta(0) <= summary.started_at - run.plan.started_at <= timedelta(seconds=1)
