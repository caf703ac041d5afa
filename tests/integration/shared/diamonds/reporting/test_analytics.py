"""The figures of what is on offer add up, whoever changed it last."""

import random
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from shared.diamonds.reporting.analytics import EDGES, summarise
from shared.diamonds.runs import lifecycle, purge
from shared.diamonds.runs.models import RunStatus


async def test_nothing_on_offer_is_told_as_that(offers):
    summary = await summarise()
    assert (summary.diamonds, summary.value, summary.mean_price, summary.by_shape, summary.last_runs) == (
        0,
        0,
        None,
        {},
        [],
    )
    assert len(summary.prices) == len(EDGES)


async def test_every_diamond_is_counted_once_in_each_figure(offers, diamonds):
    await offers.offer(
        {"price": "100.00"},  # 115.00
        {"price": "217.39", "ratio": "1.15"},  # 250.00: the edge belongs to the bar that it begins
        {"price": "60000.00", "shape": "OVAL", "feed": "second"},
        {"price": "5.00", "status": "deleted"},
    )
    run = await diamonds.begin(0, 100)
    await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)
    running = await diamonds.begin(0, 100)
    summary = await summarise()
    assert (summary.diamonds, summary.deleted) == (3, 1)
    assert summary.value == pytest.approx(115 + 250 + 69_000)
    assert summary.mean_price == pytest.approx(summary.value / 3, abs=0.01)
    assert summary.supplier_value == pytest.approx(100 + 217.39 + 60_000)
    assert {name: one.diamonds for name, one in summary.by_status.items()} == {"active": 3, "deleted": 1}
    assert {name: one.diamonds for name, one in summary.by_shape.items()} == {"ROUND": 2, "OVAL": 1}
    assert {name: one.diamonds for name, one in summary.by_feed.items()} == {"nivoda": 2, "second": 1}
    assert {name: one.diamonds for name, one in summary.by_availability.items()} == {"available": 3}
    assert [bar.diamonds for bar in summary.prices] == [1, 1, *[0] * (len(EDGES) - 3), 1]
    assert summary.prices[-1].maximum is None
    assert [(one.run_id, one.status) for one in summary.last_runs] == [(running.plan.run_id, "running")]


async def test_a_hold_that_has_ended_is_no_hold(offers, diamonds):
    await offers.offer({}, {})
    await diamonds.fetch(
        "update diamonds.diamonds set availability = 'on_hold', feed_availability = 'available', hold_expires_at ="
        " now() + case supplier_stone_id when 's00000' then interval '1 hour' else '-1 hour' end returning 1"
    )
    summary = await summarise()
    assert {name: one.diamonds for name, one in summary.by_availability.items()} == {"available": 1, "on_hold": 1}


async def test_a_diamond_that_is_held_is_counted_by_the_clock(offers, diamonds):
    await offers.offer({}, {"price": "300.00"})
    before = await summarise()
    await diamonds.fetch(
        "update diamonds.diamonds set hold_expires_at = now() + interval '0.2 seconds', availability = 'on_hold'"
        " where supplier_stone_id = 's00001' returning 1"
    )
    held = await summarise()
    assert {name: one.value for name, one in held.by_availability.items()} == {"available": 1150.0, "on_hold": 345.0}
    await diamonds.fetch("select pg_sleep(0.25)::text")
    assert (await summarise()).model_dump(exclude={"as_of"}) == before.model_dump(exclude={"as_of"})


async def test_a_summary_is_never_stale_and_folding_changes_nothing(offers, diamonds):
    await offers.offer({}, {}, {"shape": "OVAL"})
    await offers.rule()
    await offers.reprice_all()
    summary = await summarise()
    assert (summary.diamonds, summary.value) == (3, 3_900.0)
    folded = "select count(*) from diamonds.offer_figures"
    ((rows_before,),) = await diamonds.fetch(folded)
    await diamonds.fetch("select diamonds.fold_offer_figures()::text")
    assert (await summarise()).model_dump(exclude={"as_of"}) == summary.model_dump(exclude={"as_of"})
    ((rows_after,),) = await diamonds.fetch(folded)
    assert rows_after == 2 < rows_before


async def test_a_purge_folds_the_counts(offers, diamonds):
    for price in ("1.00", "2.00", "3.00"):
        await offers.offer({"price": price, "stone": price})
    assert (await purge.purge(timedelta(days=1), timedelta(days=1), 60)).finished
    assert await diamonds.fetch("select diamonds, value from diamonds.offer_figures") == [(3, Decimal("6.90"))]


def test_the_bars_are_the_same_in_the_database(migrated):
    with psycopg.connect(migrated) as connection:
        for number, edge in enumerate(EDGES):
            [(below, at)] = connection.execute(
                "select diamonds.price_bar(%s - 0.01), diamonds.price_bar(%s)", (edge, edge)
            ).fetchall()
            assert (below, at) == (number - 1, number)


ADD = """
insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, price_model_price, price_per_carat,
    retail_price, markup_ratio, availability)
select case when n %% 3 = 0 then 'second' else 'nivoda' end, 's' || n, 'o', (array['ROUND', 'OVAL'])[n %% 2 + 1], 1, n,
    1, n * %(factor)s, 1.15, 'available'
from generate_series(%(first)s, %(first)s + 6) n
on conflict (feed, supplier_stone_id) do update
set retail_price = excluded.retail_price, status = 'active', deleted_at = null
"""
UPDATES = [
    f"update diamonds.diamonds set {values} where id %% {share} = %(first)s %% {share}"
    for values, share in (
        ("retail_price = price_model_price * %(factor)s", 3),
        ("status = 'deleted', deleted_at = now()", 4),
        ("availability = 'on_hold', hold_expires_at = now() + interval '1 hour'", 5),
        ("availability = 'sold', hold_expires_at = null", 7),
        ("shape = 'PEAR', price_model_price = price_model_price + 1", 6),
        ("rating = 3", 1),
    )
]
OTHERS = [
    "delete from diamonds.diamonds where id %% 5 = %(first)s %% 5",
    "select diamonds.fold_offer_figures()",
    "truncate diamonds.diamonds cascade",
]
COUNTED = (
    "select feed, status, shape, diamonds.availability_now(availability, hold_expires_at, feed_availability),"
    " diamonds.price_bar(retail_price), count(*), sum(retail_price), sum(price_model_price)"
    " from diamonds.diamonds group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5"
)
KEPT = (
    "select feed, status, shape, availability, bar, sum(diamonds), sum(value), sum(supplier_value)"
    " from diamonds.offer_now group by 1, 2, 3, 4, 5 having sum(diamonds) <> 0 or sum(value) <> 0"
    " order by 1, 2, 3, 4, 5"
)


def test_whoever_changes_diamonds_the_counts_are_theirs(migrated):
    chance = random.Random(20261121)
    with psycopg.connect(migrated) as connection:
        for _ in range(150):
            given = {"first": chance.randint(1, 60), "factor": chance.choice((1, 7, 40, 300))}
            change = chance.choices([ADD, *UPDATES, *OTHERS], weights=[8, *[2] * len(UPDATES), 2, 1, 0.4])[0]
            for part in (change, chance.choice([ADD, *UPDATES])):  # two statements of one transaction
                connection.execute(part.encode(), given)
            if chance.random() < 0.2:
                connection.rollback()
            connection.commit()
            assert connection.execute(KEPT).fetchall() == connection.execute(COUNTED).fetchall(), change
