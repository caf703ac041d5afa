"""Marking the missing reads each table once, whatever is known of the sightings just written."""

import time
from uuid import uuid4

import pytest

from shared.diamonds.runs import missing
from shared.diamonds.runs.missing import count_missing, mark_missing_deleted
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
        given = {"feed": "nivoda", "runs": [run_id]}
        plan = await rows(connection, f"explain {getattr(missing, statement)}", given, prepare=False)
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "Nested Loop" not in text, text
    assert "Anti Join" in text, text


async def test_it_ends_in_seconds_and_finds_the_missing(migrated, diamonds):
    run_id = await aged(diamonds)
    began = time.monotonic()
    assert await count_missing(run_id) == 10
    assert (await mark_missing_deleted(run_id, 0.2)).deleted
    assert time.monotonic() - began < 20, "as nested loops it takes minutes"
