"""Consolidation and re-pricing in SQL, beside a row-by-row worker written as the replaced system's.

The peer claims 2,000 rows, maps and prices them in Python and upserts them one by one, in batches of 100, five at once.
It gets as many rows as half a minute allows, and both must come to the same prices.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from bench.diamonds.row_worker import RowWorker
from bench.report import comparison, console, middle, ratio
from local.postgres import server
from local.supplier.catalogue import DATA_SET_SIZE, Catalogue
from local.supplier.faults import Faults
from local.supplier.nivoda import Nivoda
from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows, RepriceFeed
from shared.diamonds.pricing.preview import Effect, RuleChange, preview
from shared.diamonds.pricing.repricing import begin, reprice
from shared.diamonds.reporting.analytics import summarise
from shared.platform.settings import read_group
from shared.platform.stores.postgres import close_pools

FIRST_RATIO = Decimal("1.40")
WORKERS = 4
"""As many as a run has."""
RULES = """
insert into diamonds.pricing_rules (priority, carat_min, carat_max, shapes, lab_grown, markup_ratio, rating) values
    (10, null, 0.50, null, false, 1.30, 4), (20, 0.51, 1.00, array['round'], null, 1.22, 6),
    (30, 1.01, null, array['oval', 'pear'], null, 1.18, 7), (40, null, null, null, true, 1.40, 3),
    (50, 2.00, null, null, null, 1.10, 9)
"""


def main(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server may be another user's, where this one is root
        with server(f"{folder}/postgres") as postgres:
            os.environ["POSTGRES_DSN"] = postgres.dsn
            read_group.cache_clear()
            subprocess.run([sys.executable, "-m", "shared.platform.stores.migrate"], check=True, capture_output=True)
            asyncio.run(_measure(postgres.dsn, *((53_940, 4_000, 1) if quick else (500_000, 20_000, 3))))


async def _measure(dsn: str, size: int, peer_size: int, times: int) -> None:
    run = _fill(dsn, size)
    worker = RowWorker(dsn)
    try:
        await _consolidate(dsn, run, size)  # the first night; those that are measured find their diamonds there
        ours = [await _consolidate(dsn, run, size) for _ in range(times)]
        same = _prices(dsn, peer_size)
        theirs: list[float] = []
        for _ in range(times):
            _reset(dsn, peer_size)
            _spoil(dsn, peer_size)
            with _uncounted(dsn):
                theirs.append(await worker.consolidate())
            _must_be_same("consolidation", dsn, peer_size, same)
        repriced: list[float] = []
        theirs_repriced: list[float] = []
        for number in range(1, times + 1):
            # Of the same table in the same state: first the peer its share, then we all of it.
            _change_rule(dsn, FIRST_RATIO + number * Decimal("0.01"))
            with _uncounted(dsn):
                theirs_repriced.append(await worker.reprice(peer_size))
            _change_rule(dsn, FIRST_RATIO + number * Decimal("0.01") + Decimal("0.5"))
            repriced.append(await _reprice(size, changed=True))
            assert (await _priced_right()).changed == 0
        idle = await _reprice(size, changed=False)
        looked = await _look()
    finally:
        await close_pools()
    table = comparison(
        f"{size:,} diamonds, medians of {times}; the row-by-row worker had {peer_size:,}",
        ("", "us: rows/s", "us: s", "row by row: rows/s", "us/row by row"),
    )
    for name, mine, peer in (
        ("consolidation", middle(ours), middle(theirs)),
        ("re-pricing, one rule of five changed", middle(repriced), middle(theirs_repriced)),
    ):
        table.add_row(name, f"{mine:,.0f}", f"{size / mine:.1f}", f"{peer:,.0f}", ratio(mine, peer))
    table.add_row("re-pricing, nothing changed", f"{idle:,.0f}", f"{size / idle:.1f}", "-", "-")
    console.print(table)
    console.print(
        f"us: {WORKERS} claimers at once, or one re-pricing, each in one process with PostgreSQL on this machine. The "
        "row-by-row worker: claims of 2,000, one upsert a row, batches of 100, five connections at once."
    )
    console.print(f"Of {size:,} diamonds: {looked}")


def _fill(dsn: str, size: int) -> UUID:
    """Raw rows as Nivoda sends them: the real stones, replicated under other ids. Gives the running run."""
    run, catalogue = uuid4(), Catalogue(min(size, DATA_SET_SIZE))
    vendor = Nivoda(catalogue, Faults())
    stones, _ = catalogue.page([], "none", False, 0, size)
    with psycopg.connect(dsn) as connection:
        connection.execute(RULES)
        connection.execute(
            "insert into diamonds.run_metadata (run_id, feed, run_type, window_since, window_until)"
            " values (%s, 'nivoda', 'full', now(), now())",
            (run,),
        )
        columns = "(feed, run_id, supplier_stone_id, offer_id, payload, payload_hash)"
        with connection.cursor().copy(f"copy diamonds.raw_diamonds {columns} from stdin") as copy:
            for row in stones:
                payload = vendor._offer(row)  # noqa: SLF001 - what the stand-in would send, without sending it  # pyright: ignore[reportPrivateUsage] - as said
                text = json.dumps(payload)
                copy.write_row(
                    ("nivoda", run, payload["diamond"]["id"], payload["id"], text, sha256(text.encode()).digest())
                )
        for copy_of in range(1, -(-size // DATA_SET_SIZE)):
            connection.execute(
                f"insert into diamonds.raw_diamonds {columns} select feed, run_id, supplier_stone_id || %s, offer_id,"
                " payload, payload_hash from diamonds.raw_diamonds where supplier_stone_id not like '%%/%%' limit %s",
                (f"/{copy_of}", min(DATA_SET_SIZE, size - copy_of * DATA_SET_SIZE)),
            )
    return run


@contextmanager
def _uncounted(dsn: str) -> Generator[None]:
    """Without the counts that the summary needs (migration 0007): the peer's database had none."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("alter table diamonds.diamonds disable trigger user")
        yield
        connection.execute("alter table diamonds.diamonds enable trigger user")


async def _consolidate(dsn: str, run: UUID, size: int) -> float:
    """Rows/s of all workers together, until every row that a night brought is consolidated."""
    _reset(dsn, size)
    began = time.perf_counter()
    done = await asyncio.gather(
        *(
            consolidate(ConsolidateRows(run_id=run, feed="nivoda", worker=f"w{n}", seconds=3600), NIVODA, "cents")
            for n in range(WORKERS)
        )
    )
    seconds = time.perf_counter() - began
    assert sum(one.done for one in done) == size, done
    return size / seconds


async def _reprice(size: int, *, changed: bool) -> float:
    """Diamonds/s of a re-pricing after a rule was changed, or after nothing was."""
    began = time.perf_counter()
    done = await reprice((await begin(RepriceFeed())).repricing_id, 3600)
    assert (done.status, done.looked_at, bool(done.changed)) == ("completed", size, changed), done
    return size / (time.perf_counter() - began)


async def _priced_right() -> Effect:
    """What a rule that is not active would change: nothing, if every diamond has its rules' price."""
    return await preview(RuleChange.model_validate({"rule": {"markup_ratio": 1, "active": False}}))


async def _look() -> str:
    """How long the console's figures take, and a preview, which reads every diamond."""
    began = time.perf_counter()
    await summarise()
    summary = time.perf_counter() - began
    began = time.perf_counter()
    rule = {"markup_ratio": "1.25", "priority": 1, "carat_min": 1}
    effect = await preview(RuleChange.model_validate({"rule": rule}))
    assert effect.changed
    return (
        f"the summary takes {summary * 1000:,.0f} ms; a preview takes {(time.perf_counter() - began) * 1000:,.0f} ms."
    )


def _change_rule(dsn: str, to: Decimal) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("update diamonds.pricing_rules set markup_ratio = %s where priority = 40", (to,))


def _reset(dsn: str, pending: int) -> None:
    """The first rows by stone id wait for consolidation, as if a night had brought them again."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "update diamonds.raw_diamonds r set consolidation_status = f.status from (select feed, supplier_stone_id,"
            " case when row_number() over (order by supplier_stone_id) <= %s then 'pending' else 'done' end as status"
            " from diamonds.raw_diamonds) f where (r.feed, r.supplier_stone_id) = (f.feed, f.supplier_stone_id)"
            " and r.consolidation_status <> f.status",
            (pending,),
        )
        connection.execute("vacuum analyze diamonds.raw_diamonds, diamonds.diamonds")


def _spoil(dsn: str, first: int) -> None:
    """Make the first prices wrong, so that the peer has to find the right ones."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "update diamonds.diamonds set retail_price = 1, markup_ratio = 1, rating = null where supplier_stone_id in"
            " (select supplier_stone_id from diamonds.diamonds order by supplier_stone_id limit %s)",
            (first,),
        )


def _prices(dsn: str, first: int) -> tuple[Any, ...]:
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "select count(*), sum(retail_price), sum(markup_ratio), sum(rating), sum(carats) from (select * from"
            " diamonds.diamonds order by supplier_stone_id limit %s) d",
            (first,),
        ).fetchone()
    assert found is not None
    return found


def _must_be_same(what: str, dsn: str, first: int, wanted: tuple[Any, ...]) -> None:
    found = _prices(dsn, first)
    if found != wanted:
        raise SystemExit(f"The two came to different prices in {what}: {wanted} and {found}.")
