"""What could not be mapped is listed with its reason, and tried again when somebody asks or the mapping is fixed."""

import asyncio
from dataclasses import replace

import pytest

from shared.diamonds.ingestion.mapping import NIVODA, PriceUnit
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.pricing import failed_rows, statements
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.runs import lifecycle
from shared.diamonds.runs.models import RunStatus

READ_BY_ANOTHER_KEY = replace(NIVODA, carats=("diamond", "certificate", "weight"))


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def read(diamonds, shop, *stones):
    """Read the stones in a run of their own, and consolidate."""
    shop.offer(*stones)
    run = await diamonds.begin(0, 1000)
    await copy_pages(shop, run.task())
    return run, await price(run.plan.run_id)


async def price(run_id=None, mapping=NIVODA, unit: PriceUnit = "cents"):
    return await consolidate(ConsolidateRows(run_id=run_id, feed="nivoda", worker="w", seconds=60), mapping, unit)


async def statuses(diamonds):
    return dict(await diamonds.fetch("select supplier_stone_id, consolidation_status from diamonds.raw_diamonds"))


async def test_failed_rows_are_listed_by_pages_with_their_reasons(diamonds, shop):
    broken = [diamonds.stone(f"s{n}", carats=None) for n in range(3)]
    run, _ = await read(diamonds, shop, *broken, diamonds.stone("x", shape=""), diamonds.stone("good"))
    first = await failed_rows.listed("nivoda", "", 2)
    rest = await failed_rows.listed("nivoda", first[-1].supplier_stone_id, 10)
    assert [row.supplier_stone_id for row in first + rest] == ["s0", "s1", "s2", "x"]
    assert {row.reason for row in rest} == {"carats: missing", "shape: missing"}
    assert {row.run_id for row in first} == {run.plan.run_id}
    assert await failed_rows.by_field("nivoda") == {"carats": 3, "shape": 1}
    assert await failed_rows.listed("brilliant", "", 10) == []


async def test_one_failed_row_is_tried_again_alone(diamonds, shop):
    await read(diamonds, shop, *(diamonds.stone(f"s{n}", carats=None) for n in range(2)), diamonds.stone("good"))
    assert [await failed_rows.requeue_one("nivoda", id_) for id_ in ("good", "nobody", "s1", "s1")] == [0, 0, 1, 0]
    assert await statuses(diamonds) == {"s0": "failed", "s1": "pending", "good": "done"}


async def test_failed_rows_are_tried_again_once_they_are_asked_for(diamonds, shop, monkeypatch):
    monkeypatch.setattr(failed_rows, "BATCH_ROWS", 2)
    await read(diamonds, shop, *(diamonds.stone(f"s{n}", carats="none") for n in range(5)), diamonds.stone("good"))
    assert await failed_rows.requeue("brilliant") == 0
    assert await failed_rows.requeue("nivoda") == 5
    assert await failed_rows.requeue("nivoda") == 0, "repeated, nothing is left"
    assert set((await statuses(diamonds)).items()) >= {("s0", "pending"), ("good", "done")}
    again = await price()
    assert (again.done, again.failed, again.finished) == (0, 5, True)


async def test_of_many_who_ask_at_once_each_row_is_counted_once(diamonds, shop, monkeypatch):
    monkeypatch.setattr(failed_rows, "BATCH_ROWS", 3)
    await read(diamonds, shop, *(diamonds.stone(f"s{n}", carats="none") for n in range(10)))
    assert sum(await asyncio.gather(*(failed_rows.requeue("nivoda") for _ in range(4)))) == 10


async def read_anew(mapping=NIVODA, unit: PriceUnit = "cents"):
    return await failed_rows.requeue_if_read_anew("nivoda", statements.fingerprint(mapping, unit))


async def test_after_a_fix_of_the_mapping_failed_rows_are_tried_again_once(diamonds, shop):
    await read(diamonds, shop, diamonds.stone("s1", carats=None, weight=0.5), diamonds.stone("s2", carats=None))
    await read_anew()
    assert ((await price()).failed, await read_anew()) == (2, 0), "nothing has changed"
    assert await read_anew(READ_BY_ANOTHER_KEY) == 2
    fixed = await price(mapping=READ_BY_ANOTHER_KEY)
    assert (fixed.done, fixed.failed) == (1, 1)
    assert await statuses(diamonds) == {"s1": "done", "s2": "failed"}
    assert await read_anew(READ_BY_ANOTHER_KEY) == 0, "once for each change"


async def test_after_a_change_of_the_price_unit_they_are_tried_again_as_well(diamonds, shop):
    await read(diamonds, shop, diamonds.stone("cheap", price=0.004), diamonds.stone("good"))
    assert await statuses(diamonds) == {"cheap": "failed", "good": "done"}
    assert await read_anew(unit="dollars") == 1
    assert (await price(unit="dollars")).done == 1


async def test_of_many_that_see_a_change_at_once_one_tries_the_rows_again(diamonds, shop):
    await read(diamonds, shop, *(diamonds.stone(f"s{n}", carats=None, weight=0.5) for n in range(20)))
    assert sorted(await asyncio.gather(*(read_anew(READ_BY_ANOTHER_KEY) for _ in range(4)))) == [0, 0, 0, 20]


async def test_a_row_that_was_tried_again_is_priced_beside_what_a_later_run_brings(diamonds, shop):
    first, _ = await read(diamonds, shop, diamonds.stone("s1", carats=None))
    shop.offer(diamonds.stone("s1", carats=0.7))
    await lifecycle.finish_run(first.plan.run_id, RunStatus.COMPLETED)
    await failed_rows.requeue("nivoda")
    _, priced = await read(diamonds, shop, diamonds.stone("s2"))
    assert (priced.done, priced.failed) == (2, 0)
    assert (await price()).done == 0
