"""Marking the missing reads each table once, whatever is known of the sightings just written."""

import time
from uuid import uuid4

import pytest

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.runs import lifecycle, missing
from shared.diamonds.runs.missing import count_missing, mark_missing_deleted
from shared.diamonds.runs.models import RunStatus
from shared.platform.stores.postgres import database, rows

STONES = 20_000


async def aged(diamonds):
    """A complete full run over STONES diamonds whose sightings no ANALYZE has met."""
    run = await diamonds.begin(0, 2**31 - 1)
    async with database() as connection:
        for table in ("run_sightings", "diamonds"):
            await connection.execute(f"alter table diamonds.{table} set (autovacuum_enabled = off)".encode())
        other = uuid4()
        await connection.execute(
            "insert into diamonds.run_sightings select %s, 'p000', 'x' || n from generate_series(1, 500) n", (other,)
        )
        await connection.execute("analyze diamonds.run_sightings, diamonds.diamonds")
        await connection.execute(
            "insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, price_model_price,"
            " price_per_carat, retail_price, markup_ratio, availability)"
            " select 'nivoda', 's' || n, n, 'ROUND', 1, 100, 1, 1, 1, 'available' from generate_series(1, %s) n",
            (STONES,),
        )
        await connection.execute(
            "insert into diamonds.run_sightings select %s, 'p000', 's' || n from generate_series(11, %s) n",
            (run.plan.run_id, STONES),
        )
        await connection.execute("update diamonds.worker_runs set status = 'completed'")
    return run.plan.run_id


@pytest.mark.parametrize("statement", ["COUNT", "_MARK", "_FORGET"])
async def test_no_diamond_is_looked_up_by_itself(migrated, diamonds, statement):
    run_id = await aged(diamonds)
    async with database() as connection:
        await connection.execute(missing._READ_ONCE)
        given = {"feed": "nivoda", "runs": [run_id], "short": "{[100,200)}"}
        plan = await rows(connection, f"explain {getattr(missing, statement)}", given, prepare=False)
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "Nested Loop" not in text, text
    assert "Anti Join" in text, text


async def test_nothing_is_deleted_on_the_word_of_a_partition_that_listed_fewer_than_counted(migrated, diamonds):
    """Counted 30, listed 27 different ones and 3 of them twice."""
    stones = {f"s{n:03}": diamonds.stone(f"s{n:03}", price=n + 1) for n in range(60)}
    run = await diamonds.begin(0, 30, 2**31 - 1)
    for number in (0, 1):
        await copy_pages(diamonds.Shop(stones=stones), run.task(number))
    await consolidate(ConsolidateRows(run_id=run.plan.run_id, feed="nivoda", worker="w", seconds=60), NIVODA, "cents")
    await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)

    run = await diamonds.begin(0, 30, 2**31 - 1)
    shop = diamonds.Shop(stones={key: one for key, one in stones.items() if key not in {"s007", "s050"}})

    async def page(prices, window, offset, limit):
        listed = shop._in(prices)
        if prices.minimum == 0:
            listed = listed[:-3] + listed[:3]
        return listed[offset : offset + limit]

    shop.page = page
    for number in (0, 1):
        assert (await copy_pages(shop, run.task(number))).done
    assert await count_missing(run.plan.run_id) == 1
    assert (await mark_missing_deleted(run.plan.run_id, 0.2)).missing == 1
    left = [
        row[0]
        for row in await diamonds.fetch("select supplier_stone_id from diamonds.diamonds where status = 'active'")
    ]
    assert {*stones} - {*left} == {"s050"}
    raw = [row[0] for row in await diamonds.fetch("select supplier_stone_id from diamonds.raw_diamonds")]
    assert {*stones} - {*raw} == {"s050"}


async def test_it_ends_in_seconds_and_finds_the_missing(migrated, diamonds):
    run_id = await aged(diamonds)
    began = time.monotonic()
    assert await count_missing(run_id) == 10
    assert (await mark_missing_deleted(run_id, 0.2)).deleted
    assert time.monotonic() - began < 20, "as nested loops it takes minutes"
