"""Rows that are tried again are judged before they are priced: nothing wrong comes on sale through the back."""

import pytest

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.pricing import failed_rows, replay
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.runs import difference, lifecycle
from shared.diamonds.runs.models import RunStatus
from shared.diamonds.runs.verdict import Limits

STONES = 30
PRICES = "select supplier_stone_id, price_model_price, availability from diamonds.diamonds order by 1"


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


async def night(diamonds, stones):
    run = await diamonds.begin(0, 10_000)
    shop = diamonds.Shop()
    shop.offer(*stones)
    await copy_pages(shop, run.task())
    return run.plan.run_id


async def price(run_id=None):
    return await consolidate(ConsolidateRows(run_id=run_id, feed="nivoda", worker="w", seconds=60), NIVODA, "cents")


def stones(diamonds, price):
    return [diamonds.stone(f"s{n:02}", price=price + n) for n in range(STONES)]


@pytest.fixture
async def on_sale(diamonds):
    run_id = await night(diamonds, stones(diamonds, 1000))
    assert (await price(run_id)).done == STONES
    await lifecycle.finish_run(run_id, RunStatus.COMPLETED)
    return await diamonds.fetch(PRICES)


LIMITS = Limits(failed=0.1, jumped=0.1, deleted=0.2)


async def may_be_priced():
    return await replay.may_be_priced("nivoda", NIVODA, "cents", LIMITS)


async def when_priced():
    return await replay.when_priced("nivoda", NIVODA, "cents", LIMITS)


async def test_what_was_discarded_is_tried_again_only_where_that_is_said_and_not_priced_at_once(diamonds, on_sale):
    run_id = await night(diamonds, stones(diamonds, 10))
    await difference.withhold(run_id, "prices-jumped", "They fell.")
    await lifecycle.finish_run(run_id, RunStatus.HELD)
    await lifecycle.cancel_run(run_id)
    assert await failed_rows.requeue("nivoda") == 0
    assert await failed_rows.requeue("nivoda", refused=True) == STONES
    assert not await may_be_priced()
    assert await when_priced() == "in-the-next-run", "the last run was cancelled"
    assert await diamonds.fetch(PRICES) == on_sale


@pytest.mark.parametrize("named", [True, False])
async def test_a_price_outside_its_range_fails_again(diamonds, on_sale, named):
    run_id = await night(diamonds, [diamonds.stone("s03", price=2000)])
    await diamonds.fetch(
        "update diamonds.raw_diamonds set payload = jsonb_set(payload, '{price}', '2000000')"
        " where supplier_stone_id = 's03' returning 1"
    )
    await failed_rows.fail_contradicting("nivoda", run_id, ["s03"])
    await lifecycle.finish_run(run_id, RunStatus.COMPLETED)
    if named:
        assert await failed_rows.requeue_one("nivoda", "s03") == 1
    else:
        assert await failed_rows.requeue("nivoda") == 0
        assert await failed_rows.requeue("nivoda", refused=True) == 1
    assert await may_be_priced()
    assert (await price()).done == 0
    [failed] = await failed_rows.listed("nivoda", "", 10)
    assert failed.reason == failed_rows.CONTRADICTING
    assert (await diamonds.fetch(PRICES))[3] == ("s03", 1003, "unavailable")


async def test_what_has_another_ordinary_price_is_priced_at_once(diamonds, on_sale):
    run_id = await night(diamonds, [diamonds.stone(f"s{n:02}", price=1100, shape="") for n in range(STONES)])
    assert (await price(run_id)).failed == STONES
    await lifecycle.finish_run(run_id, RunStatus.COMPLETED)
    await diamonds.fetch(
        "update diamonds.raw_diamonds set payload = jsonb_set(payload, '{diamond,certificate,shape}', '\"OVAL\"')"
        " returning 1"
    )
    assert await when_priced() == "nothing-waits"
    assert await failed_rows.requeue("nivoda") == STONES
    assert await when_priced() == "now"
    assert (await price()).done == STONES


async def test_many_rows_wait_for_the_next_run(diamonds, on_sale, monkeypatch):
    await night(diamonds, stones(diamonds, 1001))
    monkeypatch.setattr(replay, "MOST_ROWS", STONES - 1)
    assert await when_priced() == "in-the-run-at-work"
    assert not await may_be_priced()
