"""The monthly bill of the nightly run on Flex Consumption, beside the containers it replaces.

Metered: a real local run with the vendor's limit of 25 requests/s on, which decides how long it takes, here as in
Azure. Every execution of a function with its begin and its end is read from the host's log and billed as Flex bills.
"""

from __future__ import annotations

import asyncio
import json
import math
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from bench.report import comparison, console
from local.up import ROOT, Options, Ports, Stack, stack

SEED_LOAD = 500_000
NIGHTS = 30
INSTANCE_GB = 2.0
SOURCE = "prices in USD: secondary quotes of Azure's pricing pages, checked 2026-11"
FLEX_GB_SECOND, FLEX_EXECUTION = 0.000026, 0.40 / 1_000_000
FREE_GB_SECONDS, FREE_EXECUTIONS = 100_000, 250_000
VCPU_SECOND, GIB_SECOND, FREE_VCPU_SECONDS, FREE_GIB_SECONDS = 0.000024, 0.000003, 180_000, 360_000
SERVICE_BUS, LOG_GB, FREE_LOG_GB = 10.0, 2.30, 5.0
REPLACED = {"Container Apps": (200, 400), "Service Bus": (15, 30), "registry": (5, 5), "logs": (5, 15)}
"""What the replaced system's own documents say a month costs at this load, database and storage left out."""
FLOOR_VCPU, FLOOR_GIB = 0.5 + 1.0 + 0.25, 1.0 + 2.0 + 0.5
"""Of its replicas that never stop: one of the API, one consolidator, one dashboard."""
REPLACED_REST = 15 + 5 + 5
"""The least that Service Bus, registry and logs cost there."""
REQUESTS = 100_000
WATCH = NIGHTS * 24 * 6
MONTH_SECONDS = NIGHTS * 86_400


@dataclass(frozen=True)
class Execution:
    """One execution of a function, in seconds since 1970."""

    function: str
    began: float
    ended: float


def main(*, quick: bool) -> None:
    asyncio.run(_measure(53_940 if quick else SEED_LOAD))


async def _measure(size: int) -> None:
    executions, log_bytes, run_seconds = await _night(size)
    factor = SEED_LOAD / size
    width = json.loads((ROOT / "host.json").read_text())["extensions"]["durableTask"]["maxConcurrentActivityFunctions"]
    packed, alone = instance_seconds(executions, width), sum(billed(one.ended - one.began) for one in executions)
    scaled = f", times {factor:.2f} to reach {SEED_LOAD:,}" if size != SEED_LOAD else ""
    console.print(
        f"A full run of {size:,} diamonds at 25 requests/s: {run_seconds:,.0f} s, {len(executions):,} executions,"
        f" {log_bytes / 1e6:.1f} MB of log{scaled}."
    )
    table = comparison(
        f"A month of {NIGHTS} nights with {SEED_LOAD:,} diamonds each",
        ("", "GB-s", "compute", "less free grant", "with Service Bus and logs"),
    )
    logs = max(0.0, log_bytes * factor * NIGHTS / 1e9 - FREE_LOG_GB) * LOG_GB
    count = len(executions) * factor * NIGHTS
    for name, seconds in (
        (f"Flex: {width} executions at once share an instance", packed),
        ("Flex: every execution alone on an instance", alone),
    ):
        used = seconds * factor * NIGHTS * INSTANCE_GB
        paid, less = flex(used, count), flex(max(0, used - FREE_GB_SECONDS), max(0, count - FREE_EXECUTIONS))
        table.add_row(name, f"{used:,.0f}", f"${paid:,.2f}", f"${less:,.2f}", f"${less + SERVICE_BUS + logs:,.2f}")
    floor = _floor()
    low, high = (sum(one[end] for one in REPLACED.values()) for end in (0, 1))
    table.add_row(
        "containers: replicas that never stop", "-", f"${floor:,.2f}", "included", f"${floor + 15 + 5 + 5:,.2f}"
    )
    table.add_row("containers: as their documents say", "-", "$200 to 400", "-", f"${low} to {high}")
    console.print(table)
    console.print(
        f"{SOURCE}. Instances of {INSTANCE_GB:.0f} GB. First line: where more than {width} executions run at once, the"
        " next instance is active as well; an instance is billed while anything runs on it. Each time: 1,000 ms at"
        " least, then steps of 100 ms. Without PostgreSQL, which both need, and the task hub's storage (cents). Besides"
        f" the run: {REQUESTS:,} requests of clients, each billed as a second of its own, cost up to"
        f" ${flex(INSTANCE_GB * REQUESTS, REQUESTS):.2f}, the watch of every hour (six executions)"
        f" ${flex(INSTANCE_GB * WATCH, WATCH):.2f}."
    )


async def _night(size: int) -> tuple[list[Execution], int, float]:
    """The executions of one full run, the bytes of its log, and its seconds."""
    folder = Path(tempfile.mkdtemp(prefix="manifold-bench-"))
    flags = ("--diamonds", str(size), "--rate-limit", "25")
    options = Options(ports=Ports.free(), folder=folder, supplier_flags=flags, host_flags=("--json",))
    async with stack(options) as services:
        before = (services.logs / "host.log").stat().st_size
        run = await _run(services)
        assert run["status"] == "completed", run
        text = (services.logs / "host.log").read_bytes()[before:]
    executions = [one for line in text.splitlines() if (one := execution_of(line))]
    # What was asked to watch the run is no part of it.
    mine = [one for one in executions if not one.function.startswith(("ops_", "diamonds_read", "health"))]
    seconds = (datetime.fromisoformat(run["completed_at"]) - datetime.fromisoformat(run["started_at"])).total_seconds()
    return mine, len(text), seconds


async def _run(services: Stack) -> dict[str, Any]:
    headers = {"X-Admin-Key": services.settings["ADMIN_API_KEY"]}
    url = f"http://127.0.0.1:{services.options.ports.host}"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        answer = await http.post("/api/v2/triggers/scheduler", json={"run_type": "full"})
        started = answer.raise_for_status().json()
        while True:
            await asyncio.sleep(2)
            if (await http.get(f"/ops/runs/{started['id']}")).json()["status"] not in ("Running", "Pending"):
                return (await http.get(started["location"])).json()["run"]


def execution_of(line: bytes) -> Execution | None:
    """The execution that a line of the host's log tells the end of."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    if "durationMs" not in entry or "function" not in entry:
        return None
    ended = datetime.fromisoformat(entry["time"]).timestamp()
    return Execution(entry["function"], ended - entry["durationMs"] / 1000, ended)


def billed(seconds: float) -> float:
    """Seconds as Flex bills them: one at least, then steps of a tenth."""
    return max(1.0, math.ceil(round(seconds * 10, 6)) / 10)


def instance_seconds(executions: list[Execution], width: int) -> float:
    """Billed seconds of all instances together, if each takes `width` executions at once before the next is used."""
    moments = sorted([(one.began, 1) for one in executions] + [(one.ended, -1) for one in executions])
    active: list[float] = []  # since when each instance works
    at_once, total = 0, 0.0
    for moment, change in moments:
        at_once += change
        needed = math.ceil(at_once / width)
        while len(active) < needed:
            active.append(moment)
        while len(active) > needed:
            total += billed(moment - active.pop())
    return total


def flex(gb_seconds: float, executions: float) -> float:
    """What that costs on demand."""
    return gb_seconds * FLEX_GB_SECOND + executions * FLEX_EXECUTION


def _floor() -> float:
    vcpu = max(0, FLOOR_VCPU * MONTH_SECONDS - FREE_VCPU_SECONDS) * VCPU_SECOND
    return vcpu + max(0, FLOOR_GIB * MONTH_SECONDS - FREE_GIB_SECONDS) * GIB_SECOND
