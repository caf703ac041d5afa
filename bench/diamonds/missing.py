"""Marking what a feed no longer offers costs as much per diamond whatever the statistics say.

The tables are aged: ANALYZE has met them almost empty and never since, as before a run whose sightings it has not seen.
The peer is the same count with PostgreSQL's planner left alone, which then looks diamonds up one by one for at most
half a minute.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from bench.report import comparison, console, ratio
from local.postgres import server
from shared.diamonds.runs.missing import COUNT, count_missing, mark_missing_deleted
from shared.platform.settings import read_group
from shared.platform.stores.postgres import close_pools

SIZES = (100_000, 200_000, 500_000)
PEER_MILLISECONDS = 30_000
GONE = 10


def main(*, quick: bool) -> None:
    table = comparison(
        f"Marking {GONE} missing diamonds, statistics stale",
        ("diamonds", "count: ms", "mark: ms", "us/diamond", "planner left alone: ms", "planner/us"),
    )
    for size in (25_000, 50_000) if quick else SIZES:
        with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)  # the server may be another user's, where this one is root
            with server(f"{folder}/postgres") as postgres:
                os.environ["POSTGRES_DSN"] = postgres.dsn
                read_group.cache_clear()
                subprocess.run([sys.executable, "-m", "shared.platform.stores.migrate"], check=True)
                run = _aged(postgres.dsn, size)
                alone = _planner_alone(postgres.dsn, run)
                counting, marking = asyncio.run(_ours(run))
        limit = f"over {PEER_MILLISECONDS:,}" if alone is None else f"{alone:,.0f}"
        table.add_row(
            f"{size:,}", f"{counting:,.0f}", f"{marking:,.0f}", f"{(counting + marking) * 1000 / size:.1f}", limit,
            ratio(alone or PEER_MILLISECONDS, counting),
        )  # fmt: skip
    console.print(table)
    console.print("The cost of a diamond stays as it is if marking is linear.")


def _aged(dsn: str, size: int) -> UUID:
    """A complete full run over `size` diamonds, written after the last ANALYZE."""
    run = uuid4()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in ("run_sightings", "diamonds"):
            connection.execute(f"alter table diamonds.{name} set (autovacuum_enabled = off)".encode())
        connection.execute(
            "insert into diamonds.run_sightings select %s, 'p000', 'x' || n from generate_series(1, 500) n", (uuid4(),)
        )
        connection.execute("analyze diamonds.run_sightings, diamonds.diamonds")
        connection.execute(
            "insert into diamonds.run_metadata (run_id, feed, run_type, window_since, window_until)"
            " values (%s, 'nivoda', 'full', now(), now())",
            (run,),
        )
        connection.execute(
            "insert into diamonds.worker_runs (run_id, partition_id, status, work_item_payload)"
            " values (%s, 'p000', 'completed', '{}')",
            (run,),
        )
        connection.execute(
            "insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, price_model_price,"
            " price_per_carat, retail_price, markup_ratio, availability)"
            " select 'nivoda', 's' || n, n, 'ROUND', 1, 100, 1, 1, 1, 'available' from generate_series(1, %s::int) n",
            (size,),
        )
        connection.execute(
            "insert into diamonds.run_sightings select %s, 'p000', 's' || n from generate_series(%s::int, %s::int) n",
            (run, GONE + 1, size),
        )
    return run


def _planner_alone(dsn: str, run: UUID) -> float | None:
    """Milliseconds of the count as PostgreSQL plans it by itself; None: more than PEER_MILLISECONDS."""
    with psycopg.connect(dsn) as connection:
        connection.execute(f"set statement_timeout = {PEER_MILLISECONDS}".encode())
        began = time.perf_counter()
        try:
            connection.execute(COUNT.encode(), {"feed": "nivoda", "runs": [run], "short": "{}"})
        except psycopg.errors.QueryCanceled:
            return None
        return (time.perf_counter() - began) * 1000


async def _ours(run: UUID) -> tuple[float, float]:
    """Milliseconds of the count for the review, and of the marking."""
    began = time.perf_counter()
    assert await count_missing(run) == GONE
    counted = time.perf_counter()
    assert (await mark_missing_deleted(run, 0.2)).deleted
    marked = time.perf_counter()
    await close_pools()
    return (counted - began) * 1000, (marked - counted) * 1000
