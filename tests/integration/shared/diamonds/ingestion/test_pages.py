"""Pages become raw rows: each diamond once, the mark with the rows it covers, whatever is delivered twice."""

import asyncio
from itertools import count
from uuid import uuid4

import pytest

from shared.diamonds.ingestion import pages
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.ingestion.paging import TokenPages
from shared.diamonds.runs import lifecycle, reports, retries
from shared.diamonds.runs.models import PartitionStatus, RunStatus
from shared.platform.errors import Conflict, NotFound, TerminalError, TransientError

RAW = """
select supplier_stone_id, (payload ->> 'price')::integer / 100, consolidation_status
from diamonds.raw_diamonds order by 1
"""
SIGHTINGS = "select partition_id, supplier_stone_id from diamonds.run_sightings order by 1, 2"


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def drain(shop, task, **options):
    """Call again until the partition is done, as the orchestrator does; what each call gave."""
    given = []
    while not (given and given[-1].done):
        given.append(await copy_pages(shop, task, **options))
        assert len(given) < 500
    return given


async def test_a_partition_is_copied_to_its_end(shop, diamonds):
    shop.offer(*(diamonds.stone(f"s{n:03}", price=n) for n in range(120)))
    run = await diamonds.begin(0, 100, 200)
    answer = await copy_pages(shop, run.task(0))
    assert (answer.next_offset, answer.records, answer.changed, answer.done) == (100, 100, 100, True)
    assert [row[0] for row in await diamonds.fetch(RAW)] == [f"s{n:03}" for n in range(100)]
    answer = await copy_pages(shop, run.task(1))
    assert (answer.records, answer.done) == (20, True)
    assert len(await diamonds.fetch(RAW)) == len(await diamonds.fetch(SIGHTINGS)) == 120


async def test_defect_the_last_page_expects_an_offset_not_yet_stored_and_never_completes(shop, diamonds):
    """Of the system being replaced. Here the last page completes the partition, whatever its length."""
    for stones in (0, 1, 49, 50, 51, 100):
        shop.stones.clear()
        shop.offer(*(diamonds.stone(f"s{n}") for n in range(stones)))
        run = await diamonds.begin(0, 1000)
        answer = await copy_pages(shop, run.task())
        assert (answer.records, answer.done) == (stones, True)
        await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)


async def test_defect_a_short_page_is_taken_as_the_end(shop, diamonds):
    """Of the system being replaced: it took 35 of 35,040 rows. Here only an empty page is the end."""
    shop.offer(*(diamonds.stone(f"s{n}") for n in range(90)))
    lengths = iter([35, 1, 50, 2, 1, 20] * 20)
    shop.longest = lambda: next(lengths)
    run = await diamonds.begin(0, 1000)
    assert (await copy_pages(shop, run.task())).records == 90


async def test_a_time_box_hands_back_a_cursor_and_the_next_goes_on(shop, diamonds):
    shop.offer(*(diamonds.stone(f"s{n}") for n in range(60)))
    run = await diamonds.begin(0, 1000)
    shop.page_size = 10
    ticks = count()
    given = await drain(shop, run.task(seconds=3), clock=lambda: next(ticks))
    offsets = [answer.next_offset for answer in given]
    assert offsets == sorted(offsets)
    assert len(given) > 3
    assert sum(answer.changed for answer in given) == given[-1].records == 60


async def test_rows_that_have_not_changed_are_not_rewritten(shop, diamonds):
    shop.offer(*(diamonds.stone(f"s{n}") for n in range(10)))
    run = await diamonds.begin(0, 1000)
    await copy_pages(shop, run.task())
    written = await diamonds.fetch("select supplier_stone_id, xmin, ctid from diamonds.raw_diamonds order by 1")
    await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)

    shop.offer(diamonds.stone("s3", price=999))
    run = await diamonds.begin(0, 1000)
    answer = await copy_pages(shop, run.task())
    assert (answer.records, answer.changed) == (10, 1)
    rewritten = await diamonds.fetch("select supplier_stone_id, xmin, ctid from diamonds.raw_diamonds order by 1")
    assert [old[0] for old, new in zip(written, rewritten, strict=True) if old != new] == ["s3"]


@pytest.mark.parametrize("status", ["pending", "processing", "done", "failed"])
async def test_a_changed_row_becomes_pending_whatever_it_was(shop, diamonds, status):
    shop.offer(diamonds.stone("s1", price=1))
    run = await diamonds.begin(0, 1000)
    await copy_pages(shop, run.task())
    await diamonds.fetch(
        "update diamonds.raw_diamonds set consolidation_status = %s, claimed_by = 'w', claimed_at = now(),"
        " failure_reason = case when %s = 'failed' then 'shape: missing' end returning 1",
        *(status, status),
    )
    await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)
    shop.offer(diamonds.stone("s1", price=2))
    run = await diamonds.begin(0, 1000)
    await copy_pages(shop, run.task())
    assert await diamonds.fetch(
        "select (payload ->> 'price')::integer, consolidation_status, failure_reason, claimed_by, run_id"
        " from diamonds.raw_diamonds"
    ) == [(200, "pending", None, None, run.plan.run_id)]


async def test_defect_duplicate_messages_double_count(shop, diamonds):
    """Of the system being replaced. Here a repeated delivery changes nothing."""
    shop.offer(*(diamonds.stone(f"s{n}") for n in range(30)))
    run = await diamonds.begin(0, 1000)
    first = await copy_pages(shop, run.task())
    rows, pages = await diamonds.fetch("select *, xmin from diamonds.raw_diamonds order by id"), shop.pages
    again = await copy_pages(shop, run.task())
    assert again == first.model_copy(update={"changed": 0})
    assert (await diamonds.fetch("select *, xmin from diamonds.raw_diamonds order by id"), shop.pages) == (rows, pages)


async def test_of_two_deliveries_at_once_one_moves_the_mark(shop, diamonds):
    shop.offer(*(diamonds.stone(f"s{n}") for n in range(200)))
    run = await diamonds.begin(0, 1000)
    shop.page_size = 20
    both = await asyncio.gather(*(drain(shop, run.task(seconds=0.001)) for _ in range(4)))
    assert {answers[-1].records for answers in both} == {200}
    assert sum(answer.changed for answers in both for answer in answers) == 200
    assert (await reports.progress(run.plan.run_id))[0].records == 200


async def test_who_is_overtaken_between_reading_and_storing_takes_nothing_back(shop, diamonds):
    shop.offer(*(diamonds.stone(f"s{n}") for n in range(200)))
    run = await diamonds.begin(0, 1000)
    slow, reading, overtaken = diamonds.Shop(stones=shop.stones), asyncio.Event(), asyncio.Event()
    page = slow.page

    async def late(*arguments):
        if slow.pages == 3:
            reading.set()
            await overtaken.wait()
        return await page(*arguments)

    slow.page = late
    loser = asyncio.create_task(copy_pages(slow, run.task()))
    await reading.wait()
    winner = await copy_pages(shop, run.task())
    assert winner.done
    overtaken.set()
    assert await loser == winner.model_copy(update={"changed": 0})
    assert slow.counts == 0, "whoever is overtaken stops"
    assert (await reports.progress(run.plan.run_id))[0].status == PartitionStatus.COMPLETED


async def test_two_partitions_that_meet_the_same_diamonds_do_not_block_each_other(shop, diamonds):
    run = await diamonds.begin(0, 100, 200)
    shop.offer(*(diamonds.stone(f"s{n:03}", price=50) for n in range(60)))
    other = diamonds.Shop()
    other.offer(*(diamonds.stone(f"s{n:03}", price=150) for n in reversed(range(60))))
    await asyncio.gather(copy_pages(shop, run.task(0)), copy_pages(other, run.task(1)))
    assert (len(await diamonds.fetch(RAW)), len(await diamonds.fetch(SIGHTINGS))) == (60, 120)
    assert (await reports.summary(run.plan.run_id)).ingested == 60


async def test_of_a_stone_that_comes_twice_the_last_wins(shop, diamonds):
    run = await diamonds.begin(0, 1000)
    shop.stones = {"first": diamonds.stone("s1", price=10), "second": diamonds.stone("s1", price=20)}
    answer = await copy_pages(shop, run.task())
    assert await diamonds.fetch(RAW) == [("s1", 20, "pending")]
    assert answer.records == 1


async def test_defect_a_failure_after_offset_0_hangs_the_run(shop, diamonds):
    """Of the system being replaced. Here what was read is stored, and the next attempt goes on from there."""
    shop.offer(*(diamonds.stone(f"s{n}") for n in range(120)))
    run = await diamonds.begin(0, 1000)

    def fail():
        if shop.pages == 3:
            raise TransientError("The supplier is busy.")

    shop.before_page = fail
    with pytest.raises(TransientError, match="busy"):
        await copy_pages(shop, run.task())
    assert (await reports.progress(run.plan.run_id))[0].next_offset == 99
    assert (await copy_pages(shop, run.task())).records == 120


async def test_diamonds_that_move_up_when_others_leave_are_not_skipped(shop, diamonds):
    shop.offer(*(diamonds.stone(f"s{n:03}") for n in range(200)))
    run = await diamonds.begin(0, 1000)

    def sell_one():
        if shop.pages % 4 == 0:
            shop.stones.pop(f"s{shop.pages:03}", None)

    shop.before_page = sell_one
    await copy_pages(shop, run.task())
    stored = {row[0] for row in await diamonds.fetch(RAW)}
    assert len(shop.stones) < 200
    assert set(shop.stones) <= stored


async def test_a_partition_that_saw_too_few_begins_another_pass(shop, diamonds, caplog):
    shop.offer(*(diamonds.stone(f"s{n:03}") for n in range(300)))
    run = await diamonds.begin(0, 1000)

    def list_an_early_one():
        if shop.pages == 6:
            shop.stones = {"early": diamonds.stone("early"), **shop.stones}

    shop.before_page = list_an_early_one
    answer = await copy_pages(shop, run.task())
    assert (answer.records, answer.done) == (301, True)
    assert (await reports.progress(run.plan.run_id))[0].sweep == 1
    assert "has seen 300 diamonds where the supplier counts 301; another pass begins" in caplog.text


async def test_a_partition_that_lists_fewer_than_counted_is_not_complete(shop, diamonds):
    shop.offer(*(diamonds.stone(f"s{n:03}") for n in range(10)))
    shop.count_error = 5
    run = await diamonds.begin(0, 1000)
    with pytest.raises(TerminalError, match="has 10 diamonds where the supplier counts 15, after 3 passes") as refused:
        await copy_pages(shop, run.task())
    assert (refused.value.code, shop.counts) == ("partition-short", 3)
    after = (await reports.progress(run.plan.run_id))[0]
    assert (after.records, after.expected, after.status) == (10, 15, PartitionStatus.RUNNING)


async def test_stones_without_a_usable_id_are_stored_and_counted(shop, diamonds):
    run = await diamonds.begin(0, 1000)
    shop.stones = {
        n: diamonds.stone(stone_id, price=n + 1) for n, stone_id in enumerate(["", "\x00", "x" * 3000, "s1"])
    }
    answer = await copy_pages(shop, run.task())
    assert answer.records == 4
    assert [row[0][:12] for row in await diamonds.fetch(RAW)] == ["s1", *["unusable-id:"] * 3]


async def test_a_supplier_without_an_end_is_refused(shop, diamonds, monkeypatch):
    run = await diamonds.begin(0, 1000)
    monkeypatch.setattr(pages, "BATCH_ROWS", 100_000)

    async def page(prices, window, offset, limit):
        return [diamonds.stone(f"s{offset + n}") for n in range(2_500)]

    monkeypatch.setattr(shop, "page", page)
    with pytest.raises(TerminalError, match="still sends diamonds at offset") as refused:
        await copy_pages(shop, run.task())
    assert refused.value.code == "endless-partition"


@pytest.mark.parametrize("seconds", [60, 1e-9])
async def test_pages_without_a_diamond_do_not_go_on_for_ever(shop, diamonds, monkeypatch, seconds):
    run = await diamonds.begin(0, 1000)
    asked = count()

    async def page(token):
        number = next(asked)
        return ([diamonds.stone("s0")] if number == 7 else []), f"t{number}"

    monkeypatch.setattr(shop, "read", lambda prices, window, start: TokenPages(page, start))
    with pytest.raises(TerminalError, match="sent 102 pages without a diamond in partition p000") as refused:
        await drain(shop, run.task(seconds=seconds))
    assert (refused.value.code, next(asked)) == ("endless-partition", 103)
    await lifecycle.partition_failed(run.plan.run_id, "p000", "endless")
    [again] = await retries.reopen_run(run.plan.run_id, uuid4())
    assert again.partition_id == "p000"
    monkeypatch.undo()
    shop.offer(diamonds.stone("s0"))
    assert (await drain(shop, run.task()))[-1].records == 1


async def test_each_time_box_ends_whatever_the_pages_hold(shop, diamonds, monkeypatch):
    run = await diamonds.begin(0, 1000)
    asked = count()

    async def page(token):
        return [], f"t{next(asked)}"

    monkeypatch.setattr(shop, "read", lambda prices, window, start: TokenPages(page, start))
    for pages_read in range(1, 4):
        assert not (await copy_pages(shop, run.task(seconds=1e-9))).done
        assert next(asked) == 2 * pages_read - 1


async def test_a_run_that_has_ended_takes_no_more_rows(shop, diamonds):
    shop.offer(*(diamonds.stone(f"s{n:03}") for n in range(100)))
    run = await diamonds.begin(0, 1000)
    shop.page_size = 10
    await copy_pages(shop, run.task(seconds=1e-9))
    await lifecycle.cancel_run(run.plan.run_id)
    with pytest.raises(Conflict, match="no longer running"):
        await copy_pages(shop, run.task())
    assert len(await diamonds.fetch(RAW)) == 10


async def test_a_partition_that_is_not_of_the_run_is_refused(shop, diamonds):
    run = await diamonds.begin(0, 1000)
    stranger = run.task().model_copy(update={"partition": diamonds.partition(7, 0, 10)})
    with pytest.raises(NotFound, match="has no partition p007"):
        await copy_pages(shop, stranger)


async def test_another_feed_has_rows_of_its_own(shop, diamonds):
    shop.offer(diamonds.stone("s1"))
    for feed in ("nivoda", "second"):
        await copy_pages(shop, (await diamonds.begin(0, 1000, feed=feed)).task())
    assert await diamonds.fetch("select feed, tableoid::regclass::text from diamonds.raw_diamonds order by 1") == [
        ("nivoda", "diamonds.raw_diamonds_nivoda"),
        ("second", "diamonds.raw_diamonds_other"),
    ]
