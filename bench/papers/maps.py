"""A map of made-up papers, step by step: fit, places, files, and how far papers move from one version to the next."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.papers.prepared import library
from bench.report import comparison, console
from local.azurite import Ports, azurite, connection_string
from local.processes import free_port
from shared.papers.browsing.matches import matches
from shared.papers.maps import files, fitting, placing, publishing, sample, versions
from shared.papers.maps.models import SHARE_ROWS, FitBox, NeighbourShare, PlaceShare
from shared.papers.maps.points import drawing
from shared.platform.settings import read_group
from shared.platform.stores.blobs import blob_service
from shared.platform.stores.postgres import close_pools, database, rows

SAMPLE = 20_000
PEER_PAPERS = 2_000
Step = Callable[[str, Awaitable[Any]], Awaitable[Any]]


def main(*, quick: bool) -> None:
    count = 100_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as folder:
        ports = Ports(free_port(), free_port(), free_port())
        with azurite(Path(folder) / "azurite", ports), library(count):
            os.environ |= {"STORAGE_CONNECTION": connection_string(ports), "PAPERS_MAP_FIT_SECONDS": "60"}
            asyncio.run(_measured(count))


async def _measured(count: int) -> None:
    seconds: dict[str, list[float]] = {}

    async def step(name: str, work: Awaitable[Any]) -> Any:
        began = time.perf_counter()
        done = await work
        seconds.setdefault(name, []).append(time.perf_counter() - began)
        return done

    # The second sample has a quarter more papers, as if so many had come since the first.
    await _made(step, SAMPLE * 4 // 5)
    version = await _made(step, SAMPLE)
    found = await versions.current()
    table = comparison(
        f"a map of {count:,} papers, fitted to {SAMPLE * 4 // 5:,} and then, from there on, to {SAMPLE:,}",
        ("step", "first: s", "again: s", "papers/s"),
    )
    for name, (first, again) in seconds.items():
        table.add_row(name, f"{first:,.1f}", f"{again:,.1f}", f"{count / again:,.0f}" if name == PLACED else "")
    peer = await _one_by_one(version)
    table.add_row("  peer: each paper's nearest asked of pgvector's index", "", f"{count * peer:,.0f} (projected)",
                  f"{1 / peer:,.0f}")  # fmt: skip
    console.print(table)
    console.print(
        f"Common papers moved by a median of {found.moved or 0:.2%} of the longer side. The points are"
        f" {found.points.bytes:,} bytes, the density {found.density.bytes:,}; {len(found.clusters)} regions."
    )
    for filters in ("category = thousandth", "category = hundredth", "category = half"):
        times: list[float] = []
        numbers = b""
        for _ in range(5):
            began = time.perf_counter()
            numbers = await matches(version, filters, None, None)
            times.append(time.perf_counter() - began)
        console.print(f"All points of {filters}: {len(numbers) // 4:,} in {median(times) * 1000:,.0f} ms.")
    await blob_service().close()
    await close_pools()


PLACED = "all papers placed"


async def _made(step: Step, sampled: int) -> int:
    os.environ["PAPERS_MAP_SAMPLE"] = str(sampled)
    read_group.cache_clear()
    version = (await versions.accept("bench")).version
    plan = await step("sample chosen", sample.plan(version))
    await step("sample indexed", sample.index(version))
    await step("neighbours found in pgvector", _neighbours(version, plan.sampled))
    await step("fitted", _fit(version))
    await step("model published, regions named", publishing.publish(version))
    await step(PLACED, _placed(version, plan.shares))
    await step("numbered and drawn", drawing.draw(version))
    await step("swapped", versions.swap(version))
    await files.delete(version, f"{files.WORK}/")
    return version


async def _neighbours(version: int, sampled: int) -> None:
    shares = [
        NeighbourShare(version=version, first=first, count=min(SHARE_ROWS, sampled - first))
        for first in range(0, sampled, SHARE_ROWS)
    ]
    for begin in range(0, len(shares), 2):
        await asyncio.gather(*map(sample.find_neighbours, shares[begin : begin + 2]))


async def _fit(version: int) -> None:
    done = await fitting.fit_box(FitBox(version=version, done=0))
    while done.done < done.steps:
        done = await fitting.fit_box(FitBox(version=version, done=done.done))


async def _placed(version: int, shares: int) -> None:
    for begin in range(0, shares, 2):
        tasks = [PlaceShare(version=version, share=share) for share in range(begin, min(begin + 2, shares))]
        await asyncio.gather(*map(placing.place_share, tasks))


async def _one_by_one(version: int) -> float:
    """Seconds that PostgreSQL needs to find the 25 nearest of one paper by the index of all vectors."""
    async with database() as connection:
        [model] = await rows(connection, "select model_id from papers.maps where version = %s", (version,))
        vectors = f"papers.vectors_{model['model_id']:d}"
        await connection.execute("set local hnsw.ef_search = 60")
        began = time.perf_counter()
        await connection.execute(
            f"select count(*) from (select embedding from {vectors} limit {PEER_PAPERS}) v cross join lateral"
            f" (select paper_id from {vectors} o order by o.embedding <#> v.embedding limit 25) n".encode()
        )
        return (time.perf_counter() - began) / PEER_PAPERS
