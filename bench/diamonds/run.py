"""The diamond run end to end with the vendor's limit lifted, beside dlt on the same supplier and a plain binary COPY.

Also: the CPU seconds of each process, the share of the vendor's 25 requests/s that a run uses when the limit holds, the
host's peak memory, and consolidation beside one plain INSERT ... SELECT.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.types.json import Jsonb
from rich.table import Table

from bench.cpu import cpu_seconds, parent_of
from bench.diamonds.plain import Peer, beside, plain
from bench.peers import peer_python
from bench.report import comparison, console, ratio
from local.up import Options, Ports, Stack, stack

ROOT = Path(__file__).parents[2]
SIZES = (53_940, 500_000)
LIMIT = 25


def main(*, quick: bool) -> None:
    peer_python()
    asyncio.run(_measure(SIZES[:1] if quick else SIZES))


async def _measure(sizes: tuple[int, ...]) -> None:
    table = comparison(
        "Supplier to PostgreSQL, limit lifted",
        (
            "diamonds",
            "us: rows/s",
            "us: s",
            "ingestion rows/s",
            "dlt: rows/s",
            "us/dlt",
            "ingestion/dlt",
            "COPY",
            "MiB",
        ),
    )
    for size in sizes:
        table.add_row(*await _size(size))
    console.print(table)
    console.print(
        "us: heatmap, ingestion with change detection, mapping, pricing, watermark. ingestion: heatmap and raw rows, "
        "each recognised by its hash. review: what the run would change, before it changes anything. dlt: pages and "
        "raw rows only, 30 pages at once. COPY: rows/s of the same payloads, already in memory, into one table. MiB: "
        "the host's peak."
    )
    console.print(await _limited())


async def _size(size: int) -> tuple[str, ...]:
    async with _services(size, NIVODA_REQUESTS_PER_SECOND="0") as services:
        spent = Spent(services)
        run, seconds, ingesting = await _run(services, reached=spent.note)
        peak = _peak_mib(spent.pids["host"])
        spent.begin()
        dlt, loading = await asyncio.to_thread(_dlt, services)
        spent.note("dlt", loader=loading)
        console.print(spent.table(size))
        copied = await asyncio.to_thread(_copy, services.settings["POSTGRES_DSN"])
        dsn, inserting = services.settings["POSTGRES_DSN"], dict[Peer, float]()
        spent.begin()
        for peer in Peer:
            inserting[peer] = await asyncio.to_thread(plain, dsn, peer)
            spent.note(peer.value)
        console.print(beside(dsn, size, inserting), spent.beside_plain())
    assert run["consolidated"] == size, run
    return (
        f"{size:,}", f"{size / seconds:,.0f}", f"{seconds:.1f}", f"{size / ingesting:,.0f}", f"{size / dlt:,.0f}",
        ratio(dlt, seconds), ratio(dlt, ingesting), f"{copied:,.0f}", f"{peak:,.0f}",
    )  # fmt: skip


@dataclass
class Spent:
    """CPU seconds of each process by what was done, each since what was noted before it."""

    services: Stack
    pids: dict[str, int] = field(default_factory=dict[str, int])
    since: dict[str, float] = field(default_factory=dict[str, float])
    noted: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])

    def __post_init__(self) -> None:
        for name in ("host", "supplier"):
            pid = self.services[name].pid
            assert pid is not None, f"{name} has ended"
            self.pids[name] = pid
        with psycopg.connect(self.services.settings["POSTGRES_DSN"]) as connection:
            self.pids["database"] = parent_of(connection.info.backend_pid)
        self.begin()

    def begin(self) -> None:
        self.since = self._now()

    def note(self, what: str, **also: float) -> None:
        now = self._now()
        self.noted[what] = {name: now[name] - self.since[name] for name in now} | also
        self.since = now

    def _now(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self.pids.items()}

    def table(self, size: int) -> Table:
        """What each process spent, in all and for each diamond; dlt is the loader beside our host."""
        table = comparison(
            f"CPU seconds for {size:,} diamonds (ms for each)", ("process", *self.noted, "ingestion / dlt")
        )
        for name, loader in (("host", "loader"), ("database", "database"), ("supplier", "supplier")):
            figures = {what: noted[loader if what == "dlt" else name] for what, noted in self.noted.items()}
            shown = (f"{seconds:.1f} ({1000 * seconds / size:.3f})" for seconds in figures.values())
            label = "host; dlt's own process" if name == "host" else name
            table.add_row(label, *shown, ratio(figures["ingestion"], figures["dlt"]))
        return table

    def beside_plain(self) -> str:
        """What the database spent on consolidation, with marking what is missing, beside the plain INSERTs."""
        ours, *peers = (self.noted[what]["database"] for what in ("consolidation", *(peer.value for peer in Peer)))
        return (
            f"CPU seconds of the database: {ours:.1f}; {', '.join(f'{one:.1f} ({ratio(one, ours)})' for one in peers)}."
        )


@asynccontextmanager
async def _services(size: int, **settings: str) -> AsyncGenerator[Stack]:
    with _folder() as folder:
        flags = ("--diamonds", str(size))
        async with stack(
            Options(ports=Ports.free(), folder=folder, supplier_flags=flags, overrides=settings)
        ) as services:
            yield services


@contextmanager
def _folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server may be another user's, where this one is root
        yield folder


async def _run(services: Stack, reached: Callable[[str], None]) -> tuple[dict[str, Any], float, float]:
    """A full run; its summary, its seconds, and those of its ingestion. `reached` is called at the end of each part."""
    headers = {"X-Admin-Key": services.settings["ADMIN_API_KEY"]}
    url = f"http://127.0.0.1:{services.options.ports.host}"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as http:
        began = time.perf_counter()
        answer = await http.post("/api/v2/triggers/scheduler", json={"run_type": "full"})
        started = answer.raise_for_status().json()
        ingesting, at = 0.0, "ingestion"
        while True:
            await asyncio.sleep(0.25)
            answer = await http.get(f"/ops/runs/{started['id']}")
            instance: dict[str, Any] = answer.json()
            progress: dict[str, Any] = instance["progress"] or {}
            phase = progress.get("phase")
            if at == "ingestion" and (phase == "consolidating" or (phase == "ingesting" and _all_done(progress))):
                ingesting = time.perf_counter() - began
                reached(at)
                at = "review"
            if at == "review" and phase == "consolidating":
                reached(at)
                at = "consolidation"
            if instance["status"] not in ("Running", "Pending"):
                seconds = time.perf_counter() - began
                reached(at)
                break
        run = (await http.get(started["location"])).json()["run"]
    assert ingesting, "the end of the ingestion was not seen"
    return run, seconds, ingesting


def _all_done(progress: dict[str, Any]) -> bool:
    return bool(progress.get("total")) and progress.get("done") == progress["total"]


def _dlt(services: Stack) -> tuple[float, float]:
    """Seconds, and CPU seconds, that dlt takes for the same diamonds from the same supplier into the same server."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    arguments = [services.settings["NIVODA_ENDPOINT"], services.settings["POSTGRES_DSN"]]
    answer = subprocess.run(
        [str(peer_python()), str(Path(__file__).with_name("dlt_peer.py")), *arguments],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(json.loads(answer.stdout.splitlines()[-1])["seconds"]), spent


def _copy(dsn: str) -> float:
    """Rows/s of a binary COPY of the run's payloads into one table with a primary key: what the server can take."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select supplier_stone_id, offer_id, payload::text, payload_hash from diamonds.raw_diamonds"
        ).fetchall()
        connection.execute(
            "create table copied (supplier_stone_id text primary key, offer_id text, payload jsonb, payload_hash bytea)"
        )
        began = time.perf_counter()
        with connection.cursor().copy("copy copied from stdin (format binary)") as copy:
            copy.set_types(["text", "text", "jsonb", "bytea"])
            for stone, offer, payload, digest in rows:
                copy.write_row((stone, offer, Jsonb(json.loads(payload)), digest))
        connection.commit()
        return len(rows) / (time.perf_counter() - began)


async def _limited() -> str:
    async with _services(SIZES[0], NIVODA_REQUESTS_PER_SECOND=str(LIMIT)) as services:
        _, seconds, ingesting = await _run(services, reached=lambda _: None)
        supplier = f"http://127.0.0.1:{services.options.ports.supplier}/_control/stats"
        async with httpx.AsyncClient() as http:
            stats = (await http.get(supplier)).json()
    share = stats["requests"] / stats["seconds"] / LIMIT
    return (
        f"With the limit of {LIMIT} requests/s: {stats['requests']:,} requests in {stats['seconds']:.1f} s between the "
        f"first and the last, {share:.1%} of the limit used (goal 95 %), busiest second {stats['peak_per_second']}; "
        f"the run took {seconds:.1f} s, {ingesting:.1f} s of it until the last diamond was ingested."
    )


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    [kib] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(kib) / 1024
