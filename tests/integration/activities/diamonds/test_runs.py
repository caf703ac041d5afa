"""The steps of a run at the real database, with a supplier that does what a test wants."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from activities.diamonds import ingestion
from activities.diamonds import runs as steps
from activities.diamonds.upkeep import recover_claims, watch_watermarks
from shared.diamonds.ingestion.models import IngestPartition
from shared.diamonds.runs import lifecycle, watermark
from shared.diamonds.runs.models import (
    EPOCH,
    NO_END,
    RUN_ENDED,
    Partition,
    Partitions,
    PriceRange,
    RunRef,
    RunStatus,
    StartRun,
    Window,
)
from shared.platform.durable import Nothing
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings
from tests.present import present


class Supplier:
    """Counts what it is told to, or never answers."""

    def __init__(self, prices=(), silent=False):
        self.prices, self.silent = prices, silent
        self.asked = asyncio.Event()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def count(self, prices, _window):
        self.asked.set()
        if self.silent:
            await asyncio.Event().wait()
        if prices is None:
            return len(self.prices)
        return sum(price is not None and prices.minimum <= price < prices.maximum for price in self.prices)

    def read(self, *_):
        return self

    offset, empty, token, ended = 0, 0, None, False

    async def next(self):
        self.asked.set()
        await asyncio.Event().wait()


@pytest.fixture
async def plan(migrated):
    request = StartRun(run_id=uuid4(), feed="nivoda", run_type="full")
    return await lifecycle.claim_run(request, Window(since=EPOCH, until=NO_END))


@pytest.fixture
def marks(storage, monkeypatch):
    """A container of watermarks of this test's own."""
    monkeypatch.setenv("WATERMARK_CONTAINER", f"watermarks-{uuid4()}")
    forget_settings()


@pytest.fixture
def supplied(monkeypatch):
    """Makes this the supplier of every feed."""

    def give(supplier):
        monkeypatch.setattr(ingestion, "supplier", lambda _: supplier)
        return supplier

    return give


async def refusal(step, task, asked, run_id):
    """What the step, which waits for the supplier, ends in when its run is cancelled."""
    working = asyncio.ensure_future(step(task))
    await asked.wait()
    await lifecycle.cancel_run(run_id)
    with pytest.raises(Conflict) as refused:
        await asyncio.wait_for(working, 15)
    return refused.value.code


async def test_a_cancelled_run_stops_counting_at_a_supplier_that_does_not_answer(plan, supplied):
    supplier = supplied(Supplier(silent=True))
    assert await refusal(ingestion.draw_heatmap, plan, supplier.asked, plan.run_id) == RUN_ENDED
    assert await lifecycle.load_partitions(plan.run_id) == []


async def test_a_cancelled_run_stops_reading_at_a_supplier_that_does_not_answer(plan, supplied, monkeypatch):
    monkeypatch.setattr(ingestion, "READING_LOOK_SECONDS", 0.1)
    supplied(Supplier([100, 200]))
    (partition,) = (await ingestion.draw_heatmap(plan)).partitions
    supplier = supplied(Supplier(silent=True))
    task = IngestPartition(plan=plan, partition=partition)
    assert await refusal(ingestion.ingest_pages, task, supplier.asked, plan.run_id) == RUN_ENDED


async def test_diamonds_that_no_price_range_holds_are_told_and_the_others_planned(plan, supplied, mails):
    supplied(Supplier([100, None, 200, None]))
    drawn = await ingestion.draw_heatmap(plan)
    assert drawn.total == 2
    assert drawn.partitions[0].prices == PriceRange(minimum=0, maximum=2**31 - 1)
    (mail,) = mails.mails(10)
    assert mail.subject == "[Manifold] nivoda: 2 diamonds are in no price range"


async def test_nobody_is_told_when_every_diamond_has_a_price(plan, supplied, mails):
    supplied(Supplier([100, 200]))
    await ingestion.draw_heatmap(plan)
    assert mails.mails(10) == []


async def test_a_mail_that_cannot_be_sent_does_not_keep_the_feed_from_being_read(plan, supplied, monkeypatch):
    monkeypatch.setenv("SMTP_PORT", "1")
    supplied(Supplier([100, None]))
    assert (await ingestion.draw_heatmap(plan)).total == 1


@pytest.mark.parametrize(("read", "decision"), [(10, "go"), (7, "wait"), (6, "hold"), (0, "hold")])
async def test_rule_consolidation_starts_by_itself_from_70_percent_of_the_partitions_on(plan, read, decision):
    shares = [
        Partition(partition_id=f"p{n:03}", prices=PriceRange(minimum=n, maximum=n + 1), expected=1) for n in range(10)
    ]
    await lifecycle.save_partitions(plan.run_id, Partitions(total=10, partitions=shares, counts_asked=0))
    async with database() as connection:
        await connection.execute(
            "update diamonds.worker_runs set status = case when partition_id < %s then 'completed' else 'failed' end",
            (f"p{read:03}",),
        )
    verdict = await steps.judge_run(RunRef(run_id=plan.run_id))
    assert (verdict.decision, verdict.complete, verdict.unread) == (decision, decision == "go", 10 - read)
    assert verdict.wait_seconds == (300 if decision == "wait" else 0)


async def test_rule_the_watermark_reaches_15_minutes_back_before_the_runs_start(plan, marks):
    moved = await steps.advance_watermark(plan)
    assert moved.watermark == plan.started_at - timedelta(minutes=15)
    assert present(await watermark.read("nivoda")).last_updated_at == moved.watermark


async def test_rule_an_incremental_run_reads_from_the_watermark_to_its_start_and_a_full_one_everything(plan, marks):
    await steps.advance_watermark(plan)
    await lifecycle.finish_run(plan.run_id, RunStatus.COMPLETED)
    following = await steps.plan_run(StartRun(run_id=uuid4(), feed="nivoda", run_type="incremental"))
    assert following.window == Window(since=plan.started_at - timedelta(minutes=15), until=following.started_at)
    await lifecycle.finish_run(following.run_id, RunStatus.COMPLETED)
    whole = await steps.plan_run(StartRun(run_id=uuid4(), feed="nivoda", run_type="full"))
    assert whole.window == Window(since=EPOCH, until=NO_END)
    assert EPOCH.year == 2000


async def test_rule_max_scheduler_records_caps_a_run_which_then_concludes_nothing(
    migrated, marks, supplied, monkeypatch
):
    monkeypatch.setenv("MAX_SCHEDULER_RECORDS", "3")
    forget_settings()
    supplied(Supplier([100, 200, 300, 400, 500]))
    capped = await steps.plan_run(StartRun(run_id=uuid4(), feed="nivoda", run_type="full"))
    drawn = await ingestion.draw_heatmap(capped)
    assert (drawn.total, drawn.partitions[-1].prices.maximum) == (3, 400)
    assert (await steps.judge_run(RunRef(run_id=capped.run_id))).capped


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
