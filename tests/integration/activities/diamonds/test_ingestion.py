"""Counting and reading at a supplier that does what a test wants."""

import asyncio

import pytest

from activities.diamonds import ingestion
from shared.diamonds.ingestion.models import IngestPartition
from shared.diamonds.runs import lifecycle
from shared.diamonds.runs.models import RUN_ENDED, PriceRange
from shared.platform.errors import Conflict
from tests.integration.activities.diamonds.conftest import Supplier


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
