"""The steps of a run at the real database, with a supplier that does what a test wants."""

import asyncio
from uuid import uuid4

import pytest

from activities import diamonds as steps
from shared.diamonds import runs
from shared.diamonds.models import EPOCH, NO_END, RUN_ENDED, PriceRange, StartRun, Window
from shared.diamonds.steps import IngestPartition
from shared.platform.errors import Conflict


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

    offset, token = 0, None

    async def next(self):
        self.asked.set()
        await asyncio.Event().wait()


@pytest.fixture
async def plan(migrated):
    request = StartRun(run_id=uuid4(), feed="nivoda", run_type="full")
    return await runs.claim_run(request, Window(since=EPOCH, until=NO_END))


@pytest.fixture
def supplied(monkeypatch):
    """Makes this the supplier of every feed."""

    def give(supplier):
        monkeypatch.setattr(steps, "supplier", lambda _: supplier)
        return supplier

    return give


async def refusal(step, task, asked, run_id):
    """What the step, which waits for the supplier, ends in when its run is cancelled."""
    working = asyncio.ensure_future(step(task))
    await asked.wait()
    await runs.cancel_run(run_id)
    with pytest.raises(Conflict) as refused:
        await asyncio.wait_for(working, 15)
    return refused.value.code


async def test_a_cancelled_run_stops_counting_at_a_supplier_that_does_not_answer(plan, supplied):
    supplier = supplied(Supplier(silent=True))
    assert await refusal(steps.draw_heatmap, plan, supplier.asked, plan.run_id) == RUN_ENDED
    assert await runs.load_partitions(plan.run_id) == []


async def test_a_cancelled_run_stops_reading_at_a_supplier_that_does_not_answer(plan, supplied, monkeypatch):
    monkeypatch.setattr(steps, "READING_LOOK_SECONDS", 0.1)
    supplied(Supplier([100, 200]))
    (partition,) = (await steps.draw_heatmap(plan)).partitions
    supplier = supplied(Supplier(silent=True))
    task = IngestPartition(plan=plan, partition=partition)
    assert await refusal(steps.ingest_pages, task, supplier.asked, plan.run_id) == RUN_ENDED


async def test_diamonds_that_no_price_range_holds_are_told_and_the_others_planned(plan, supplied, mails):
    supplied(Supplier([100, None, 200, None]))
    drawn = await steps.draw_heatmap(plan)
    assert drawn.total == 2
    assert drawn.partitions[0].prices == PriceRange(minimum=0, maximum=2**31 - 1)
    (mail,) = mails.mails(10)
    assert mail.subject == "[Manifold] nivoda: 2 diamonds are in no price range"


async def test_nobody_is_told_when_every_diamond_has_a_price(plan, supplied, mails):
    supplied(Supplier([100, 200]))
    await steps.draw_heatmap(plan)
    assert mails.mails(10) == []


async def test_a_mail_that_cannot_be_sent_does_not_keep_the_feed_from_being_read(plan, supplied, monkeypatch):
    monkeypatch.setenv("SMTP_PORT", "1")
    supplied(Supplier([100, None]))
    assert (await steps.draw_heatmap(plan)).total == 1
