"""One run at a time on a feed; its counts come from its rows."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.runs import lifecycle, reports, retries
from shared.diamonds.runs.models import (
    RUN_ENDED,
    Partitions,
    PartitionStatus,
    RunPlan,
    RunStatus,
    RunType,
    StartRun,
    Window,
)
from shared.platform.errors import Conflict, NotFound
from tests.present import present


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


def request(feed="nivoda", run_type: RunType = "full"):
    return StartRun(run_id=uuid4(), feed=feed, run_type=run_type)


async def test_of_many_claims_at_once_one_wins_and_names_itself_to_the_others(diamonds):
    claims = await asyncio.gather(
        *(lifecycle.claim_run(request(), diamonds.WINDOW) for _ in range(8)), return_exceptions=True
    )
    won = [claim for claim in claims if isinstance(claim, RunPlan)]
    assert len(won) == 1
    for lost in claims:
        if lost is not won[0]:
            assert isinstance(lost, Conflict)
            assert (lost.code, str(won[0].run_id) in lost.message) == ("run-in-progress", True)


async def test_a_repeated_claim_gives_the_first_plan(diamonds):
    asked, before = request(), datetime(2025, 12, 31, tzinfo=UTC)
    plan = await lifecycle.claim_run(asked, diamonds.WINDOW, watermark_before=before, max_records=7)
    later = Window(since=diamonds.WINDOW.since, until=diamonds.WINDOW.until + timedelta(hours=1))
    assert await lifecycle.claim_run(asked, later) == plan == await lifecycle.load_plan(asked.run_id)
    assert (plan.window, plan.watermark_before, plan.max_records) == (diamonds.WINDOW, before, 7)


async def test_a_run_that_has_ended_cannot_be_claimed_again(diamonds):
    asked = request()
    await lifecycle.claim_run(asked, diamonds.WINDOW)
    await lifecycle.finish_run(asked.run_id, RunStatus.COMPLETED)
    with pytest.raises(Conflict, match="it is completed") as refused:
        await lifecycle.claim_run(asked, diamonds.WINDOW)
    assert refused.value.code == "run-ended"
    await lifecycle.claim_run(request(), diamonds.WINDOW)


async def test_another_feed_is_not_held_up(diamonds):
    await lifecycle.claim_run(request("nivoda"), diamonds.WINDOW)
    await lifecycle.claim_run(request("second"), diamonds.WINDOW)


async def test_a_repeated_plan_keeps_the_first_partitions(diamonds):
    run = await diamonds.begin(0, 10, 20)
    other = Partitions(total=1, partitions=[diamonds.partition(0, 0, 99)], counts_asked=1)
    assert await lifecycle.save_partitions(run.plan.run_id, other) == run.partitions
    assert await lifecycle.load_partitions(run.plan.run_id) == run.partitions
    assert [p.status for p in await reports.progress(run.plan.run_id)] == [PartitionStatus.PENDING] * 2


async def test_a_failed_partition_is_recorded_once_and_never_over_a_completed_one(shop, diamonds):
    run = await diamonds.begin(0, 10, 20)
    await copy_pages(shop, run.task(0))
    for number in (0, 1):
        await lifecycle.partition_failed(run.plan.run_id, f"p{number:03}", "The supplier said no. " * 40)
        await lifecycle.partition_failed(run.plan.run_id, f"p{number:03}", "The supplier said no. " * 40)
    done, failed = await reports.progress(run.plan.run_id)
    assert (done.status, done.error) == (PartitionStatus.COMPLETED, None)
    assert (failed.status, len(present(failed.error))) == (PartitionStatus.FAILED, 500)
    summary = await reports.summary(run.plan.run_id)
    assert (summary.partitions, summary.partitions_failed) == (2, 1)


async def test_a_failed_partition_that_goes_on_is_no_longer_failed(shop, diamonds):
    shop.offer(diamonds.stone("s1", price=5))
    run = await diamonds.begin(0, 10)
    await lifecycle.partition_failed(run.plan.run_id, "p000", "no")
    await copy_pages(shop, run.task())
    assert [(p.status, p.error) for p in await reports.progress(run.plan.run_id)] == [(PartitionStatus.COMPLETED, None)]


async def test_a_cancelled_run_stays_cancelled(diamonds):
    run = await diamonds.begin(0, 10)
    assert await lifecycle.cancel_run(run.plan.run_id) == RunStatus.CANCELLED
    assert await lifecycle.cancel_run(run.plan.run_id) == RunStatus.CANCELLED
    assert await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED) == RunStatus.CANCELLED
    with pytest.raises(Conflict, match="was cancelled"):
        await retries.reopen_run(run.plan.run_id, uuid4())


async def test_a_held_run_can_be_completed_and_a_completed_one_not_be_changed(diamonds):
    run = await diamonds.begin(0, 10)
    await lifecycle.finish_run(run.plan.run_id, RunStatus.HELD)
    assert await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED) == RunStatus.COMPLETED
    assert await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED) == RunStatus.COMPLETED
    for status in (RunStatus.FAILED, RunStatus.CANCELLED):
        with pytest.raises(Conflict, match="is completed and cannot become"):
            await lifecycle.finish_run(run.plan.run_id, status)


async def test_defect_a_retry_does_not_reset_progress(shop, diamonds):
    """Of the system being replaced. Here a failed partition is read again from its beginning."""
    shop.offer(*(diamonds.stone(f"s{n:02}", price=n) for n in range(30)))
    run = await diamonds.begin(0, 10, 20, 30)
    await copy_pages(shop, run.task(0))
    shop.page_size = 5
    await copy_pages(shop, run.task(1, seconds=1e-9))
    for partition in ("p001", "p002"):
        await lifecycle.partition_failed(run.plan.run_id, partition, "no")
    await lifecycle.finish_run(run.plan.run_id, RunStatus.HELD)

    assert await retries.reopen_run(run.plan.run_id, uuid4(), ["p001", "p000"]) == [run.partitions[1]]
    assert [(p.status, p.next_offset) for p in await reports.progress(run.plan.run_id)] == [
        (PartitionStatus.COMPLETED, 10),
        (PartitionStatus.PENDING, 0),
        (PartitionStatus.FAILED, 0),
    ]
    assert await retries.reopen_run(run.plan.run_id, uuid4()) == [run.partitions[2]]
    for number in (1, 2):
        await copy_pages(shop, run.task(number))
    assert (await reports.summary(run.plan.run_id)).ingested == 30
    with pytest.raises(Conflict, match="No such partition"):
        await retries.reopen_run(run.plan.run_id, uuid4())


async def test_a_retry_waits_for_the_run_on_its_feed(diamonds):
    run = await diamonds.begin(0, 10)
    await lifecycle.partition_failed(run.plan.run_id, "p000", "no")
    await lifecycle.finish_run(run.plan.run_id, RunStatus.FAILED)
    await diamonds.begin(0, 10)
    with pytest.raises(Conflict, match="Another run is running") as refused:
        await retries.reopen_run(run.plan.run_id, uuid4())
    assert refused.value.code == "run-in-progress"
    assert (await reports.progress(run.plan.run_id))[0].status == PartitionStatus.FAILED


@pytest.mark.parametrize(
    "ask", [lifecycle.load_plan, lifecycle.cancel_run, lambda run: retries.reopen_run(run, uuid4()), reports.summary]
)
async def test_an_unknown_run_is_not_found(ask):
    with pytest.raises(NotFound, match="There is no run"):
        await ask(uuid4())


async def forever(begun):
    begun.set()
    await asyncio.Event().wait()


async def test_work_that_waits_for_somebody_else_is_given_up_soon_after_its_run_is_cancelled(diamonds):
    run, begun = await diamonds.begin(0, 100), asyncio.Event()
    waiting = asyncio.ensure_future(lifecycle.while_running(run.plan.run_id, forever(begun), every=0.05))
    await begun.wait()
    await lifecycle.cancel_run(run.plan.run_id)
    with pytest.raises(Conflict) as refused:
        await asyncio.wait_for(waiting, 10)
    assert refused.value.code == RUN_ENDED


async def test_work_on_a_running_run_is_done_and_its_errors_are_its_own(diamonds):
    run = await diamonds.begin(0, 100)

    async def work(answer):
        await asyncio.sleep(0.1)  # several looks
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await lifecycle.while_running(run.plan.run_id, work(7), every=0.02) == 7
    with pytest.raises(TimeoutError, match="mine"):
        await lifecycle.while_running(run.plan.run_id, work(TimeoutError("mine")), every=0.02)
