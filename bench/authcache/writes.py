"""Durable registrations on three hosts at once, beside pyiceberg's upsert; and how many files they leave in Iceberg."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bench.authcache.keys import percentile
from bench.authcache.stage import ROOT, stage
from bench.report import comparison, console
from shared.authcache.folding.exporting import append_table
from shared.authcache.folding.filling import fill_cache
from shared.authcache.folding.folding import fold_log
from shared.authcache.folding.steps import SyncTask, TableState, TableTask
from shared.authcache.iceberg.catalog import catalog, ready
from shared.authcache.iceberg.tables import KEPT_IN_ICEBERG, existing
from shared.authcache.log.users import UserCreated
from shared.authcache.store import store
from shared.authcache.tables import USERS
from shared.platform.stores.blobs import blob_service

HOSTS, WRITERS = 3, 100
START_SECONDS = 20
"""For the hosts to import what they need before they all begin."""
A_FOLD = 1_000
OFFERED = 5_000
"""Writes a second that the writers of all hosts begin together where they do not write as fast as they are answered."""


def main(*, quick: bool) -> None:
    seconds = 4 if quick else 15
    registrations = 10_000 if quick else 100_000
    columns = ("", "a second", "p50 ms", "p95 ms", "p99 ms", "longest", "failed")
    table = comparison(f"Durable registrations, {seconds} s", columns)
    with stage():
        for hosts, pause in ((1, 0.0), (HOSTS, 0.0), (HOSTS, HOSTS * WRITERS / OFFERED)):
            answers = _hosts(hosts, "bench.authcache.writer", WRITERS, pause, seconds)
            took = [one for answer in answers for one in answer["took"]]
            offered = f", {OFFERED:,} a second asked for" if pause else ""
            table.add_row(f"auth cache, {hosts} x {WRITERS} writers{offered}", *_figures(took, seconds), "0")
            if hosts > 1:
                slowest = min((answer["took"] for answer in answers), key=len)
                table.add_row("of them the host that wrote least", *_figures(slowest, seconds), "0")
    with stage():
        asyncio.run(_ready())
        answers = _hosts(HOSTS, "bench.authcache.upserts", seconds)
        took = [one for answer in answers for one in answer["took"]]
        failed = sum(answer["failed"] for answer in answers)
        table.add_row(f"pyiceberg's upsert, {HOSTS} writers", *_figures(took, seconds), f"{failed}")
    console.print(table)
    console.print("To reach on three hosts: 5,000 a second, p95 20 ms, p99 200 ms.")
    with stage():
        files, snapshots, seconds_taken = asyncio.run(_files(registrations))
    console.print(
        f"{registrations:,} registrations, folded {A_FOLD:,} at a time: {files} data files (at most 100 are wanted),"
        f" {snapshots} snapshots; a fold with its append took {seconds_taken:.2f} s."
    )


def _hosts(hosts: int, module: str, *arguments: object) -> list[dict[str, Any]]:
    starts_at = time.monotonic() + START_SECONDS
    command = [sys.executable, "-m", module, *map(str, arguments), str(starts_at)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(hosts)]
    outputs = [process.communicate()[0] for process in running]
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def _figures(took: list[float], seconds: float) -> tuple[str, ...]:
    if not took:
        return "0", "-", "-", "-", "-"
    shares = (f"{percentile(took, share):,.1f}" for share in (0.5, 0.95, 0.99, 1))
    return (f"{len(took) / seconds:,.0f}", *shares)


async def _ready() -> None:
    await ready()
    await blob_service().close()


async def _files(registrations: int) -> tuple[int, int, float]:
    await fill_cache(SyncTask(tables=tuple(TableState(table=name) for name in KEPT_IN_ICEBERG), reason="It is empty."))
    began = time.perf_counter()
    for _ in range(registrations // A_FOLD):
        records = [_record() for _ in range(A_FOLD)]
        for first in range(0, A_FOLD, 500):
            await store().commit(records[first : first + 500])
        folded = await fold_log()
        await append_table(TableTask(table=USERS.name, lsn=folded.lsn or 0))
    took = (time.perf_counter() - began) / (registrations / A_FOLD)
    iceberg = existing(catalog(), USERS)
    assert iceberg is not None
    files, snapshots = len(list(iceberg.scan().plan_files())), len(iceberg.snapshots())
    await blob_service().close()
    return files, snapshots, took


def _record() -> UserCreated:
    number = uuid4().hex
    return UserCreated(
        at=datetime.now(UTC), id=number, email=f"{number}@example.com", address=f"{number}@example.com",
        first_name="Ann", last_name="Lee", password_hash="$argon2id$v=19$m=19456,t=2,p=1$" + "x" * 60,
    )  # fmt: skip
