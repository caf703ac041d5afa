"""The figures of what is on offer add up, and say how old they are."""

import pytest

from shared.diamonds import analytics, runs
from shared.diamonds.analytics import EDGES, summarise
from shared.diamonds.models import RunStatus


async def test_nothing_on_offer_is_told_as_that(shop):
    told = await summarise()
    assert (told.diamonds, told.value, told.mean_price, told.by_shape, told.last_runs) == (0, 0, None, {}, [])
    assert len(told.prices) == len(EDGES)


async def test_every_diamond_is_counted_once_in_each_figure(shop, diamonds):
    await shop.offer(
        {"price": "100.00"},  # 115.00
        {"price": "217.39", "ratio": "1.15"},  # 250.00: the edge belongs to the bar that it begins
        {"price": "60000.00", "shape": "OVAL", "feed": "second"},
        {"price": "5.00", "status": "deleted"},
    )
    run = await diamonds.begin(0, 100)
    await runs.finish_run(run.plan.run_id, RunStatus.COMPLETED)
    running = await diamonds.begin(0, 100)
    told = await summarise()
    assert (told.diamonds, told.deleted) == (3, 1)
    assert told.value == pytest.approx(115 + 250 + 69_000)
    assert told.mean_price == pytest.approx(told.value / 3, abs=0.01)
    assert told.supplier_value == pytest.approx(100 + 217.39 + 60_000)
    assert {name: one.diamonds for name, one in told.by_status.items()} == {"active": 3, "deleted": 1}
    assert {name: one.diamonds for name, one in told.by_shape.items()} == {"ROUND": 2, "OVAL": 1}
    assert {name: one.diamonds for name, one in told.by_feed.items()} == {"nivoda": 2, "second": 1}
    assert {name: one.diamonds for name, one in told.by_availability.items()} == {"available": 3}
    assert [bar.diamonds for bar in told.prices] == [1, 1, *[0] * (len(EDGES) - 3), 1]
    assert told.prices[-1].maximum is None
    assert [(one.run_id, one.status) for one in told.last_runs] == [(running.plan.run_id, "running")]


async def test_a_hold_that_has_ended_is_no_hold(shop, diamonds):
    await shop.offer({}, {})
    await diamonds.fetch(
        "update diamonds.diamonds set availability = 'on_hold', raw_availability = 'AVAILABLE', hold_expires_at ="
        " now() + case supplier_stone_id when 's00000' then interval '1 hour' else '-1 hour' end returning 1"
    )
    told = await summarise()
    assert {name: one.diamonds for name, one in told.by_availability.items()} == {"available": 1, "on_hold": 1}


async def test_it_is_counted_again_when_it_is_old(shop):
    before = await summarise(clock=lambda: 1000.0)
    await shop.offer({})
    again = await summarise(clock=lambda: 1000.0 + analytics.FRESH_SECONDS / 2)
    assert (again.diamonds, again.as_of) == (0, before.as_of)
    assert again.age_seconds >= before.age_seconds
    later = await summarise(clock=lambda: 1000.0 + analytics.FRESH_SECONDS)
    assert later.diamonds == 1
    assert later.as_of > before.as_of


async def test_it_is_counted_again_after_a_run_and_after_a_repricing(shop, diamonds):
    assert (await summarise(clock=lambda: 0.0)).value == 0
    await shop.offer({})
    run = await diamonds.begin(0, 100)
    assert (await summarise(clock=lambda: 0.0)).value == 1150
    await runs.finish_run(run.plan.run_id, RunStatus.COMPLETED)
    await shop.rule()
    assert (await summarise(clock=lambda: 0.0)).value == 1150
    await shop.reprice_all()
    assert (await summarise(clock=lambda: 0.0)).value == 1300
