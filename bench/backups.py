"""A database of papers backed up and restored at two sizes, and what a restore of 17.9 million would take.

A restore's steps grow with the rows, that of the vector index a little faster: it is extrapolated by what one row cost
at the larger size, the index by n log n. The peer of the backup is a plain COPY of the same tables to nowhere.
"""

from __future__ import annotations

import asyncio
import io
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from bench.report import comparison, console, ratio
from local.azurite import Ports, azurite, connection_string
from local.postgres import server
from local.processes import free_port
from shared.backups.blobs.manifests import read_manifest
from shared.backups.models import Manifest, TakeBackup
from shared.backups.restoring import building, loading, preparing
from shared.backups.restoring.restoration import restore
from shared.backups.taking import exporting
from shared.backups.verification.scratch import empty_scratch, scratch
from shared.backups.verification.verifying import verify
from shared.platform.settings import read_group
from shared.platform.stores.blobs import close_blobs
from shared.platform.stores.postgres import close_pools

DIMENSIONS = 256
SEED_ROWS = 17_900_000
INDEX = "index of the vectors"
FILL = """
insert into papers.papers (source, source_id, title, abstract, content_hash)
select 'arxiv', 'id-' || n, 'A title of ' || md5(n::text),
       (select string_agg(md5((n * 40 + k)::text), ' ') from generate_series(1, 36) k), sha256(n::text::bytea)
from generate_series(1, %(count)s) n;
insert into papers.models (name, version, dimensions, state) values ('bench', '1', 256, 'current');
select papers.make_vectors(model_id) from papers.models;
insert into papers.vectors_1 select paper_id,
       (select array_agg(sin(('x' || substr(md5(source_id || k), 1, 8))::bit(32)::int4)) from generate_series(1, 256) k)
           ::real[]::halfvec(256), false from papers.papers;
select papers.index_vectors(1::smallint, '512MB');
analyze papers.papers, papers.vectors_1;
"""


def main(*, quick: bool) -> None:
    steps: dict[int, dict[str, float]] = {}
    for count in (5_000, 10_000) if quick else (20_000, 40_000):
        steps[count] = _measured(count)
    _told(steps)


def _measured(count: int) -> dict[str, float]:
    """Seconds of each step at this size."""
    with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server may be another user's, where this one is root
        ports = Ports(free_port(), free_port(), free_port())
        with server(f"{folder}/postgres") as postgres, azurite(Path(folder) / "azurite", ports):
            settings = {"POSTGRES_DSN": postgres.dsn, "STORAGE_CONNECTION": connection_string(ports)}
            os.environ |= settings | {"BACKUPS_BOX_SECONDS": "540"}
            read_group.cache_clear()
            migrate = [sys.executable, "-m", "shared.platform.stores.migrate"]
            subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL)
            with psycopg.connect(postgres.dsn, autocommit=True) as connection:
                for statement in FILL.split(";\n"):
                    if statement.strip():
                        connection.execute((statement % {"count": count}).encode())
                connection.execute("create database restored")
            found = {"plain COPY of the same tables": _copied(postgres.dsn)}
            asyncio.run(_backed_up(found))
            os.environ["POSTGRES_DSN"] = make_conninfo(postgres.dsn, dbname="restored")
            read_group.cache_clear()
            asyncio.run(_restored(found))
    return found


async def _backed_up(found: dict[str, float]) -> None:
    for name, number in (("the first backup", 1), ("a backup after nothing changed", 2)):
        began = time.perf_counter()
        await exporting.export(TakeBackup(id=f"20261101T00000{number}Z", chain="20261101T000000Z"))
        found[name] = time.perf_counter() - began
    began = time.perf_counter()
    assert await _verified(await read_manifest())
    found["its verification, beside the app"] = time.perf_counter() - began
    await close_blobs()
    await close_pools()


async def _verified(manifest: Manifest) -> bool:
    """As its orchestration does, one table after the other."""
    await empty_scratch(manifest.id)
    async with scratch() as connection:
        plan = await preparing.prepare(connection, manifest)
    for late, tables in ((False, plan.early), (True, plan.late)):
        for name in tables:
            async with scratch() as connection:
                await loading.load(connection, manifest, name)
        async with scratch() as connection:
            await building.build(connection, late=late, keys_alone=True)
    async with scratch() as connection:
        return (await verify(connection, manifest, deadline=float("inf"))).verdict == "same"


async def _restored(found: dict[str, float]) -> None:
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert await restore(await read_manifest())
    steps = re.finditer(r"^ *([0-9.]+) s  (.+)$", printed.getvalue(), re.MULTILINE)
    found |= {step[2]: float(step[1]) for step in steps}
    await close_blobs()
    await close_pools()


def _copied(dsn: str) -> float:
    began = time.perf_counter()
    with psycopg.connect(dsn) as connection:
        for table in ("papers.papers", "papers.vectors_1"):
            with connection.cursor().copy(f"copy {table} to stdout (format binary)".encode()) as copy:
                for _ in copy:
                    pass
    return time.perf_counter() - began


def _told(steps: dict[int, dict[str, float]]) -> None:
    small, large = steps
    table = comparison(
        "Seconds; a paper has about 1.3 kB of text and a vector of 256 halves",
        ("step", f"{small:,} papers", f"{large:,} papers", "growth", f"{SEED_ROWS:,}, extrapolated, minutes"),
    )
    total = 0.0
    for name in steps[large]:
        before, after = steps[small][name], steps[large][name]
        factor = SEED_ROWS / large * (math.log(SEED_ROWS) / math.log(large) if name == INDEX else 1)
        seconds = after * factor
        of_restore = "COPY" not in name and "backup" not in name and "verification" not in name
        total += seconds if of_restore else 0
        table.add_row(name, f"{before:.1f}", f"{after:.1f}", ratio(after, before), f"{seconds / 60:,.0f}")
    table.add_row("the restore", "", "", "", f"{total / 60:,.0f}")
    console.print(table)
