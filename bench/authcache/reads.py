"""The read path: share checks, log-ins, a cold instance, memory; filling and folding; and other ways to do it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.authcache import redis
from bench.authcache.data import write_tables
from bench.authcache.folder import CHANGES, FOLD_MEGABYTES
from bench.authcache.stage import ROOT, process, stage
from bench.peers import peer_python
from bench.report import comparison, console
from local.postgres import dsn, server
from shared.authcache.folding.exporting import look_at_table, replace_table
from shared.authcache.folding.filling import fill_cache
from shared.authcache.folding.publishing import FILES, publish_current
from shared.authcache.folding.steps import SyncTask, TableTask
from shared.authcache.iceberg.tables import KEPT_IN_ICEBERG
from shared.authcache.settings import settings
from shared.platform.stores.blob_files import download_blob
from shared.platform.stores.blobs import blob_service

EACH = 5
GIGABYTES = 10**12


def main(*, quick: bool) -> None:
    users = 50_000 if quick else 1_000_000
    with stage() as folder:
        filled = asyncio.run(_filled(users, folder))
        cold = [
            process("bench.authcache.reader", users, EACH, AUTHCACHE_FOLDER=str(folder / f"cold{n}")) for n in range(3)
        ]
        folded = process("bench.authcache.folder", users)
        assert folded["peak"] < FOLD_MEGABYTES
        peers = _peers(folder, users)
    ours = {name: sorted(one[name] for one in cold)[1] for name in cold[0] if name not in {"cold", "heavy"}}
    assert not any(one["heavy"] for one in cold)
    table = comparison(
        f"{users:,} users, {users * EACH:,} shares", ("", "share p50 us", "p99", "user p50 us", "p99", "MB")
    )
    for name, one in {"auth cache": ours, **peers}.items():
        columns = ("share_p50_us", "share_p99_us", "user_p50_us", "user_p99_us")
        table.add_row(name, *(f"{one[column]:,.1f}" for column in columns), f"{one['rss']:,.0f}")
    console.print(table)
    if redis.installed() is None:
        console.print(
            "Redis is left out: its server is not on this machine, and no package of this project carries it."
        )
    _print(ours, filled, folded)


def _print(ours: dict[str, float], filled: dict[str, float], folded: dict[str, float]) -> None:
    table = comparison("The rest, beside what InvestFlow says of itself", ("", "measured", "to reach", "InvestFlow"))
    table.add_row("share check", f"{ours['share_p50_us'] / 1000:.4f} ms", "0.005 ms", "300 -> 1 ms")
    table.add_row("log-in, password hash and all", f"{ours['login_ms']:.1f} ms", "", "400 -> 100 ms")
    table.add_row("first log-in of a cold instance after its import", f"{ours['first_login_ms']:.0f} ms", "300 ms", "")
    table.add_row("its import of the app", f"{ours['import_ms']:.0f} ms", "", "")
    table.add_row("until the base lies on its disk", f"{ours['fetched_s']:.1f} s", "", "")
    table.add_row("memory of the process", f"{ours['rss']:.0f} MB", "250 MB", "")
    table.add_row("of it its own, not mapped files", f"{ours['anonymous']:.0f} MB", "", "")
    table.add_row("full sync (its CPU)", f"{filled['seconds']:.0f} s ({filled['cpu']:.0f} s)", "60 s", "")
    table.add_row("rewriting the Iceberg tables after it", f"{filled['rewritten']:.0f} s", "", "")
    table.add_row(
        f"fold of {CHANGES:,} changes (its CPU)", f"{folded['seconds']:.1f} s ({folded['cpu']:.1f} s)", "20 s", ""
    )
    table.add_row("memory that it takes at its peak", f"{folded['peak']:.0f} MB", f"{FOLD_MEGABYTES} MB", "")
    table.add_row("and their appends to Iceberg", f"{folded['appended']:.1f} s", "", "")
    console.print(table)


@asynccontextmanager
async def _blobs() -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await blob_service().close()


async def _filled(users: int, folder: Path) -> dict[str, float]:
    async with _blobs():
        await write_tables(users, EACH)
        looks = [await look_at_table(TableTask(table=name, lsn=0)) for name in KEPT_IN_ICEBERG]
        began, cpu = time.perf_counter(), time.process_time()
        await fill_cache(SyncTask(tables=tuple(looks), reason="The first filling."))
        filled = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
        began = time.perf_counter()
        for look in (one for one in looks if one.foreign):
            await replace_table(TableTask(table=look.table, lsn=0, snapshot=look.snapshot))
        filled["rewritten"] = time.perf_counter() - began
        await publish_current()
        for file, name in zip(FILES, ("users", "shares"), strict=True):
            container, into = settings().cdc_cache_container_name, folder / f"{name}.parquet"
            await download_blob(container, file.name, into, most=GIGABYTES, check=lambda: None)
        return filled


def _peers(folder: Path, users: int) -> dict[str, dict[str, Any]]:
    peers = {"dicts of rows, as InvestFlow": process("bench.authcache.peers", "dict", folder, users, EACH)}
    command = [str(peer_python()), "-m", "bench.authcache.peers", "duckdb", str(folder), str(users), str(EACH)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, check=True, capture_output=True, text=True)
    peers["DuckDB on the published files"] = json.loads(done.stdout.splitlines()[-1])
    if redis.installed() is not None:
        with redis.server(folder) as path:
            redis.load(path, folder)
            peers["Redis on this machine"] = process("bench.authcache.peers", "redis", path, users, EACH)
    with server(folder / "postgres", throwaway=True) as running:
        name = dsn(running.port)
        _load(name, folder)
        peers["PostgreSQL by primary key"] = process("bench.authcache.peers", "postgres", name, users, EACH)
    return peers


def _load(name: str, folder: Path) -> None:
    from shared.authcache.base.format.pyarrow import parquet  # noqa: PLC0415 - the peer alone needs it

    with psycopg.connect(name) as connection:
        connection.execute("create table users (id text, email text primary key, password_hash text, first_name text)")
        connection.execute("create table shares (user_id text, shared_email text, primary key (user_id, shared_email))")
        for table, columns in (
            ("users", ["id", "email", "password_hash", "first_name"]),
            ("shares", ["user_id", "shared_email"]),
        ):
            with connection.cursor().copy(f"copy {table} ({', '.join(columns)}) from stdin".encode()) as copy:
                for batch in parquet.ParquetFile(folder / f"{table}.parquet").iter_batches(columns=columns):
                    for row in zip(*(batch.column(column).to_pylist() for column in columns), strict=True):
                        copy.write_row(row)
        connection.execute("analyze")
