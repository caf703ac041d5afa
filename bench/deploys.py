"""Deployments on this machine: time to the first step, overhead over the bare build, many at once, reads, the bill.

The bare build is the same commands in the same folder without us: unpack, `python build.py`, start, first answer.
"""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx

from bench.report import comparison, console, middle
from local.up import ROOT, Options, Ports, Stack, stack

HELLO = ROOT / "examples" / "hello"
ORGANIZATION = "bench"
FILES = ("README.md", "VERSION", "app.py", "build.py", "templates/index.html")
READERS = 16
LIMIT = 8
"""Deployments that may be at work at the same time."""
ENDED = ("completed", "failed", "cancelled")

# USD, secondary quotes of 2026-11-21 for Flex Consumption on demand: the time in which an instance has work is billed
# by GB-seconds, at least one second, then by tenths; the monthly free grant is left out.
GB_SECOND, PER_EXECUTION, MEMORY_GB = 0.000026, 0.40 / 1_000_000, 2.0
COSMOS_MILLION_RU, RU_A_DEPLOYMENT = 0.25, 400
PRICES = "Flex $0.000026/GB-s + $0.40/M executions, Cosmos serverless $0.25/M RU; secondary quotes of 2026-11-21"


def main(*, quick: bool) -> None:
    asyncio.run(_measure(one_by_one=3 if quick else 10, at_once=20 if quick else 100, seconds=3 if quick else 8))


async def _measure(*, one_by_one: int, at_once: int, seconds: float) -> None:
    bare = [await asyncio.to_thread(_bare_build) for _ in range(one_by_one)]
    with tempfile.TemporaryDirectory(prefix="manifold-bench-") as folder:
        options = Options(
            ports=Ports.free(),
            folder=Path(folder),
            without=frozenset({"supplier", "smtp"}),
            overrides={"ADMIN_API_KEY": "bench", "MAX_CONCURRENT_DEPLOYMENTS": str(LIMIT)},
        )
        async with stack(options) as services:
            url = f"http://127.0.0.1:{options.ports.host}"
            limits = httpx.Limits(max_connections=None)
            async with httpx.AsyncClient(
                base_url=url, headers={"X-Admin-Key": "bench"}, timeout=120, limits=limits
            ) as http:
                await _until_ended(http, [await _deploy(http, "warm")])
                found = [(await _until_ended(http, [await _deploy(http, f"p{n}")]))[0] for n in range(one_by_one)]
                console.print(_alone(found, bare))
                console.print(await _many(http, services, at_once))
                reads = await _reads(http, found[0]["deploymentId"], seconds)
                console.print(f"Status reads: {reads:,.0f}/s with {READERS} readers, each from Cosmos DB's stand-in.")


def _alone(found: list[dict[str, Any]], bare: list[float]) -> Any:
    first = [_seconds(one["createdAt"], one["startedAt"]) for one in found]
    whole = [_seconds(one["createdAt"], one["completedAt"]) for one in found]
    table = comparison(f"One deployment at a time, median of {len(found)}", ("what", "s"))
    table.add_row("POST to the first step", f"{middle(first):.2f}")
    table.add_row("POST to completed", f"{middle(whole):.2f}")
    table.add_row("bare build: unpack, build, start, first answer", f"{middle(bare):.2f}")
    table.add_row(
        "overhead of queue, six steps, state, logs, health and traffic", f"{middle(whole) - middle(bare):.2f}"
    )
    return table


async def _many(http: httpx.AsyncClient, services: Stack, at_once: int) -> Any:
    log = services.logs / "host.log"
    before = await asyncio.to_thread(lambda: len(log.read_text(errors="replace").splitlines()))
    began = time.perf_counter()
    started = await asyncio.gather(*(_deploy(http, f"many-{n}") for n in range(at_once)))
    accepted = time.perf_counter() - began
    found = await _until_ended(http, started)
    took = time.perf_counter() - began
    lines = (await asyncio.to_thread(log.read_text, errors="replace")).splitlines()[before:]
    busy, executions = _metered(lines)
    bill = busy * MEMORY_GB * GB_SECOND + executions * PER_EXECUTION
    bill += at_once * RU_A_DEPLOYMENT / 1_000_000 * COSMOS_MILLION_RU
    whole = [_seconds(one["createdAt"], one["completedAt"]) for one in found]
    completed = sum(one["status"] == "completed" for one in found)
    most = _most_at_once(found)
    if completed != at_once or most > LIMIT:
        raise SystemExit(
            f"{completed} of {at_once} deployments completed; {most} were at work at once, {LIMIT} may be."
        )
    table = comparison(f"{at_once} deployments at once", ("what", "figure"))
    table.add_row("all accepted after", f"{accepted:.1f} s")
    table.add_row("all ended after", f"{took:.1f} s")
    table.add_row("deployments/s", f"{at_once / took:.2f}")
    table.add_row("completed", str(completed))
    table.add_row(f"most at work at the same time, of {LIMIT} that may be", str(most))
    table.add_row("POST to completed, median and longest", f"{middle(whole):.1f} s and {max(whole):.1f} s")
    table.add_row("billed: spells with work, each at least 1 s", f"{busy:.1f} s of {MEMORY_GB:g} GB")
    table.add_row("function executions", f"{executions:,}")
    table.add_row("bill of 1,000 such deployments", f"${bill * 1000 / at_once:.4f}")
    table.caption = (
        f"{PRICES}. GB-s and executions are metered; {RU_A_DEPLOYMENT} RU a deployment is an estimate. "
        "Builds (ACR Tasks) and the apps themselves are billed beside it."
    )
    return table


def _most_at_once(deployments: list[dict[str, Any]]) -> int:
    """How many of them were at work at the same moment."""
    starts = [(datetime.fromisoformat(one["startedAt"]), 1) for one in deployments]
    ends = [(datetime.fromisoformat(one["completedAt"]), -1) for one in deployments]
    return max(accumulate(change for _, change in sorted(starts + ends)))


def _metered(lines: list[str]) -> tuple[float, int]:
    """Seconds in which at least one function ran, as Flex bills them, and how many ran: from the host's own log."""
    periods: list[tuple[float, float]] = []
    for line in lines:
        found = re.search(r"(\d{4}-\d\d-\d\dT[\d:.]+)Z?.*Executed 'Functions\..*Duration=(\d+)ms", line)
        if found:
            end = datetime.fromisoformat(found[1]).timestamp()
            periods.append((end - int(found[2]) / 1000, end))
    busy, until = 0.0, float("-inf")
    open_from = float("-inf")
    for start, end in sorted(periods):
        if start > until:
            busy += _billed(until - open_from)
            open_from = start
        until = max(until, end)
    return busy + _billed(until - open_from), len(periods)


def _billed(seconds: float) -> float:
    if not seconds > 0:
        return 0.0
    return max(1.0, timedelta(seconds=seconds) // timedelta(milliseconds=100) / 10 + 0.1)


async def _reads(http: httpx.AsyncClient, deployment: str, seconds: float) -> float:
    done = 0
    deadline = time.perf_counter() + seconds

    async def read() -> None:
        nonlocal done
        while time.perf_counter() < deadline:
            (await http.get(f"/deploy/{deployment}/status")).raise_for_status()
            done += 1

    await asyncio.gather(*(read() for _ in range(READERS)))
    return done / seconds


async def _deploy(http: httpx.AsyncClient, project: str) -> str:
    path = f"/deploy/project/{project}/source?organizationId={ORGANIZATION}"
    (await http.put(path, content=_zip())).raise_for_status()
    asked = {
        "projectId": project,
        "userId": "bench",
        "organizationId": ORGANIZATION,
        "projectName": project,
        "buildCommand": "python build.py",
        "startCommand": "python app.py",
    }
    return (await http.post("/deploy", json=asked)).raise_for_status().json()["deploymentId"]


async def _until_ended(http: httpx.AsyncClient, wanted: list[str]) -> list[dict[str, Any]]:
    """The deployments of the organization's list, once all that are wanted have ended."""
    while True:
        found: dict[str, dict[str, Any]] = {}
        cursor = ""
        while True:
            page = (await http.get(f"/status/deployments/{ORGANIZATION}?limit=100{cursor}")).raise_for_status().json()
            found |= {one["deploymentId"]: one for one in page["data"]}
            if page["pagination"]["next"] is None or set(wanted) <= set(found):
                break
            cursor = f"&cursor={httpx.QueryParams({'c': page['pagination']['next']})['c']}"
        if all(one in found and found[one]["status"] in ENDED for one in wanted):
            return [found[one] for one in wanted]
        await asyncio.sleep(0.1 if len(wanted) == 1 else 1)


def _bare_build() -> float:
    """Seconds from the archive to the first answer, by hand."""
    archive = _zip()
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        began = time.perf_counter()
        with ZipFile(BytesIO(archive)) as zipped:
            zipped.extractall(folder)
        subprocess.run([sys.executable, "build.py"], cwd=folder, check=True, capture_output=True)
        environment = {"PORT": str(port)}
        with subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as app:
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)
                    break
                except httpx.HTTPError:
                    time.sleep(0.01)
            took = time.perf_counter() - began
            app.terminate()
        return took


def _zip() -> bytes:
    held = BytesIO()
    with ZipFile(held, "w") as zipped:
        for name in FILES:
            zipped.write(HELLO / name, name)
    return held.getvalue()


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
