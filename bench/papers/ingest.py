"""Taking a file in, from its lines to the papers' table, beside one plain binary COPY of the same rows."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.cpu import cpu_seconds
from bench.papers.data import papers, pool, record
from bench.peers import peer_python
from bench.report import comparison, console, ratio
from local.azurite import Ports, azurite, connection_string
from local.postgres import server
from local.processes import free_port
from shared.papers.ingesting import inbox, staging
from shared.papers.ingesting.judging import judge
from shared.papers.ingesting.merging import merge
from shared.papers.ingesting.plan import plan
from shared.papers.models import ReadPart
from shared.platform.settings import read_group
from shared.platform.stores.blobs import blob_service
from shared.platform.stores.postgres import close_pools


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of each way, and CPU seconds of the app and of the database."""

    steps: dict[str, float]
    app: float
    database: float
    copied: float
    copying: float
    dlt: float | None

    @property
    def seconds(self) -> float:
        """From the stored file to the merged table."""
        return sum(self.steps.values())


def main(*, quick: bool) -> None:
    count = 20_000 if quick else 200_000
    lines = _lines(count)
    found = _measured(lines, with_dlt=True)
    table = comparison(
        f"{count:,} papers, {len(lines) / 1e6:,.0f} MB of JSON lines",
        ("how", "rows/s", "of COPY", "app: CPU us/row", "database: CPU us/row"),
    )
    copied = count / found.copied
    table.add_row(
        "ours: read, staged, judged, merged", f"{count / found.seconds:,.0f}", ratio(count / found.seconds, copied),
        f"{found.app / count * 1e6:,.0f}", f"{found.database / count * 1e6:,.0f}",
    )  # fmt: skip
    for name, part in found.steps.items():
        table.add_row(f"  {name}", f"{count / part:,.0f}", ratio(count / part, copied), "", "")
    table.add_row("plain binary COPY", f"{copied:,.0f}", "1.00 x", "", f"{found.copying / count * 1e6:,.0f}")
    if found.dlt:
        table.add_row("dlt, upsert by id", f"{count / found.dlt:,.0f}", ratio(count / found.dlt, copied), "", "")
    console.print(table)
    console.print(
        "The COPY writes the finished rows into the same table with the same indexes; ours makes them first. dlt writes"
        " the records as they are into a table with no index but the key's: no dates, names or identifiers are read,"
        " nothing is indexed for search, and a bad record ends the load."
    )


def seconds_of_an_ingest(count: int) -> tuple[float, int]:
    """Seconds to take so many papers in, and the bytes of their file."""
    lines = _lines(count)
    return _measured(lines, with_dlt=False).seconds, len(lines)


def _lines(count: int) -> bytes:
    return "".join(f"{json.dumps(record(one))}\n" for one in papers(count, pool())).encode()


def _measured(lines: bytes, *, with_dlt: bool) -> Measured:
    with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server may be another user's, where this one is root
        ports = Ports(free_port(), free_port(), free_port())
        with server(f"{folder}/postgres") as postgres, azurite(Path(folder) / "azurite", ports):
            os.environ |= {"POSTGRES_DSN": postgres.dsn, "STORAGE_CONNECTION": connection_string(ports)}
            read_group.cache_clear()
            subprocess.run(
                [sys.executable, "-m", "shared.platform.stores.migrate"], check=True, stdout=subprocess.DEVNULL
            )
            before = time.process_time(), cpu_seconds(postgres.process.pid)
            steps = asyncio.run(_ours(lines))
            ours = time.process_time() - before[0], cpu_seconds(postgres.process.pid) - before[1]
            copied, copying = _copied(postgres)
            dlt = _dlt(lines, Path(folder), postgres.dsn) if with_dlt else None
    return Measured(steps, *ours, copied, copying, dlt)


def _dlt(lines: bytes, folder: Path, dsn: str) -> float:
    file = folder / "papers.jsonl"
    file.write_bytes(lines)
    peer = Path(__file__).with_name("dlt_peer.py")
    done = subprocess.run(
        [str(peer_python()), str(peer), str(file), dsn], check=True, capture_output=True, text=True,
        env={**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(folder / "dlt")},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])["seconds"]


async def _ours(lines: bytes) -> dict[str, float]:
    """Seconds of each step from the stored file to the merged table."""
    await blob_service().create_container("papers")
    await blob_service().get_blob_client("papers", "a.jsonl").upload_blob(lines)
    began = time.perf_counter()
    ingest = await inbox.accept("a.jsonl", "arxiv", None, "bench")
    planned = await plan(ingest)
    for part in range(planned.parts):
        while not (await staging.read_part(ReadPart(ingest_id=ingest.ingest_id, part=part))).done:
            pass
    read = time.perf_counter()
    await judge(ingest)
    judged = time.perf_counter()
    while not (await merge(ingest)).done:
        pass
    merged = time.perf_counter()
    await blob_service().close()
    await close_pools()
    return {"read and stage": read - began, "judge": judged - read, "merge": merged - judged}


def _copied(postgres: Any) -> tuple[float, float]:
    """Seconds of the COPY of the rows that the table has, and the database's CPU seconds for it."""
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        columns = (
            "paper_id, source, source_id, title, abstract, authors, author_keys, categories, primary_date, doi,"
            " arxiv_id, link, withdrawn, version_at, details, content_hash"
        )
        with connection.cursor().copy(f"copy papers.papers ({columns}) to stdout (format binary)".encode()) as copy:
            rows = b"".join(copy)
        connection.execute("truncate papers.papers cascade")
        before = cpu_seconds(postgres.process.pid)
        began = time.perf_counter()
        with connection.cursor().copy(f"copy papers.papers ({columns}) from stdin (format binary)".encode()) as copy:
            for begin in range(0, len(rows), 1 << 18):
                copy.write(rows[begin : begin + (1 << 18)])
        return time.perf_counter() - began, cpu_seconds(postgres.process.pid) - before
