"""The monthly bill of the follow-ups of 10,000 clients on Flex Consumption, beside one replica that never stops.

Metered: a real local host. What an idle minute costs is read from executions of the minute timer over 10,000 clients
of whom none is due; what a mail costs, from the executions of a sweep.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg

from bench.bill import (
    FREE_EXECUTIONS,
    FREE_GB_SECONDS,
    FREE_GIB_SECONDS,
    FREE_VCPU_SECONDS,
    GIB_SECOND,
    INSTANCE_GB,
    MONTH_SECONDS,
    SOURCE,
    VCPU_SECOND,
    Execution,
    billed,
    execution_of,
    flex,
    instance_seconds,
)
from bench.followups.ours import FUNCTIONS, Ours
from bench.report import comparison, console
from local.up import Options, Ports, Stack, stack

CLIENTS, STEPS = 10_000, 5
IDLE_MINUTES, SENT = 20, 500
MINUTES = MONTH_SECONDS // 60
WIDTH = 10
"""Executions that share an instance, as host.json says of activities."""
REPLICA_VCPU, REPLICA_GIB = 0.5, 1.0
"""What the replaced system's documents give the container of its scheduler."""
SECONDS = 300


def main(*, quick: bool) -> None:
    """Measure and print."""
    asyncio.run(_measure(SENT // 5 if quick else SENT))


async def _measure(mails: int) -> None:
    with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as name:
        ports = Ports.free()
        options = Options(
            ports=ports,
            folder=Path(name),
            without=frozenset({"supplier", "apps"}),
            host_flags=("--json",),
            overrides={"FOLLOWUPS_PUBLIC_URL": f"http://127.0.0.1:{ports.host}", "FOLLOWUPS_MAILS_PER_MINUTE": "0"},
        )
        async with stack(options) as services:
            ours = Ours(options.folder, services.settings)
            await asyncio.to_thread(ours.plan, CLIENTS, time.time() + 30 * 86_400)
            idle = await _idle(services)
            sent = await _sweep(services, ours, mails)
    _report(idle, sent, mails)


async def _idle(services: Stack) -> list[Execution]:
    """Executions of the minute timer while nothing is due."""
    for fired in range(1, IDLE_MINUTES + 1):
        await _fire(services)
        await _until(lambda fired=fired: len(_executions(services)) >= fired)
    return _executions(services)


async def _sweep(services: Stack, ours: Ours, mails: int) -> list[Execution]:
    """Executions of the sweep that sends the mails of some clients."""
    before = len(_executions(services))
    with psycopg.connect(services.settings["POSTGRES_DSN"]) as connection:
        connection.execute(
            "update followups.tasks set scheduled_for = now() where id in (select id from followups.tasks limit %s)",
            (mails,),
        )
    await _fire(services)
    await _until(lambda: ours.waiting() <= CLIENTS - mails)
    await asyncio.sleep(3)  # the orchestrations end
    return _executions(services)[before:]


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not await asyncio.to_thread(holds):
        if time.monotonic() > deadline:
            raise SystemExit(f"The host did not come to the end of it within {SECONDS} s.")
        await asyncio.sleep(0.2)


async def _fire(services: Stack) -> None:
    kept = services.options.folder / "host" / "keys.json"
    headers = {"x-functions-key": json.loads(await asyncio.to_thread(kept.read_text))["master"]}
    async with httpx.AsyncClient(base_url=services["host"].service.address, headers=headers, timeout=60) as http:
        (await http.post("/admin/functions/operations_minute", json={})).raise_for_status()


def _executions(services: Stack) -> list[Execution]:
    text = (services.logs / "host.log").read_bytes()
    return [one for line in text.splitlines() if (one := execution_of(line)) and one.function in FUNCTIONS]


def _report(idle: list[Execution], sent: list[Execution], measured: int) -> None:
    mails = CLIENTS * STEPS
    minute = sum(billed(one.ended - one.began) for one in idle) / len(idle)
    share = mails / measured
    packed, alone = instance_seconds(sent, WIDTH), sum(billed(one.ended - one.began) for one in sent)
    table = comparison(
        f"A month of {CLIENTS:,} clients with {STEPS} steps each: {mails:,} mails",
        ("", "GB-s", "executions", "compute", "less free grant"),
    )
    for title, of_mails in (
        (f"Flex: {WIDTH} executions at once share an instance", packed),
        ("Flex: every execution alone on an instance", alone),
        ("Flex: nothing is due, the minute timer only", 0.0),
    ):
        used = (minute * MINUTES + of_mails * share) * INSTANCE_GB
        count = MINUTES + (len(sent) * share if of_mails else 0)
        less = flex(max(0, used - FREE_GB_SECONDS), max(0, count - FREE_EXECUTIONS))
        table.add_row(title, f"{used:,.0f}", f"{count:,.0f}", f"${flex(used, count):,.2f}", f"${less:,.2f}")
    vcpu, gib = REPLICA_VCPU * MONTH_SECONDS, REPLICA_GIB * MONTH_SECONDS
    replica = vcpu * VCPU_SECOND + gib * GIB_SECOND
    granted = max(0, vcpu - FREE_VCPU_SECONDS) * VCPU_SECOND + max(0, gib - FREE_GIB_SECONDS) * GIB_SECOND
    table.add_row(
        f"one replica that never stops, {REPLICA_VCPU} vCPU and {REPLICA_GIB:.0f} GiB",
        f"{gib:,.0f}", "-", f"${replica:,.2f}", f"${granted:,.2f}",
    )  # fmt: skip
    console.print(table)
    longest = max(one.ended - one.began for one in idle)
    console.print(
        f"{SOURCE}. Metered: {len(idle)} executions of the minute timer over {CLIENTS:,} clients, the longest"
        f" {longest * 1000:,.0f} ms, each billed as {minute:.1f} s; a sweep of {measured} mails,"
        f" {len(sent):,} executions. Instances of {INSTANCE_GB:.0f} GB. Without PostgreSQL, which both need, the mail"
        " provider, and the task hub's storage. The free grant is the subscription's, and shared with all its apps."
    )
