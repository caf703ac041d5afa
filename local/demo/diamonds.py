"""The demo's diamond run: start it, show how far it is, prove that every diamond arrived, and report."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

import httpx
import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.demo.client import App, DemoFailed
from local.up import Stack

POLL_SECONDS = 0.5
LINE_SECONDS = 5
RUN_SECONDS = 600
OPEN_ENDED = 2**31 - 2


async def run(stack: Stack, app: App, console: Console) -> None:
    """A full run of everything the supplier has.

    Raises:
        DemoFailed: the run did not complete, or a diamond is missing.
    """
    console.print(f"\nA full run of the diamond feed; watch it at {stack['host'].service.address}/console")
    supplier = f"http://127.0.0.1:{stack.options.ports.supplier}/_control/stats"
    async with httpx.AsyncClient(timeout=30) as http:
        before = (await http.get(supplier)).json()
        started = await app.ask("/api/v2/triggers/scheduler", {"run_type": "full"})
        detail = await _watch(app, started, console)
        after = (await http.get(supplier)).json()
    summary, partitions = detail["run"], detail["partitions"]
    offered = after["diamonds"]
    console.print(_outcome(summary, offered, before, after, stack))
    console.print(_balance(partitions))
    console.print(await _prices(stack.settings["POSTGRES_DSN"], summary["feed"]))
    if summary["status"] != "completed":
        raise DemoFailed(f"The run ended as {summary['status']}: see {stack.logs}/host.log.")
    if offered != summary["consolidated"] + summary["failed"]:
        raise DemoFailed(
            f"The supplier offers {offered:,} diamonds, but {summary['consolidated']:,} were consolidated and "
            f"{summary['failed']:,} failed: see the partitions at {started['location']}."
        )
    console.print(f"[green]Every one of the supplier's {offered:,} diamonds is accounted for.[/green]")


async def _watch(app: App, started: dict[str, Any], console: Console) -> dict[str, Any]:
    columns = (
        TextColumn("{task.description:<13}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    deadline = time.monotonic() + RUN_SECONDS
    last_line = 0.0
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        ingesting = bars.add_task("ingesting", total=None, note="counting at the supplier")
        parts = bars.add_task("partitions", total=None, note="")
        pricing = bars.add_task("consolidating", total=None, note="")
        began = time.monotonic()
        while time.monotonic() < deadline:
            detail = await app.ask(started["location"]) if await _planned(app, started) else None
            if detail:
                run, partitions = detail["run"], detail["partitions"]
                note = _speed(run, time.monotonic() - began)
                finished = sum(part["status"] == "completed" for part in partitions)
                bars.update(ingesting, total=run["expected"] or None, completed=run["ingested"], note=note)
                bars.update(parts, total=len(partitions) or None, completed=finished)
                bars.update(pricing, total=run["expected"] or None, completed=run["consolidated"] + run["failed"])
                if not console.is_terminal and time.monotonic() - last_line > LINE_SECONDS:
                    last_line = time.monotonic()
                    console.print(_line(run, finished, len(partitions), note))
                if run["status"] != "running":
                    return detail
            await asyncio.sleep(POLL_SECONDS)
    raise DemoFailed(f"The run was not over after {RUN_SECONDS} s: see {started['location']}.")


def _line(run: dict[str, Any], finished: int, partitions: int, note: str) -> str:
    if not partitions:
        return "counting at the supplier"
    done = run["consolidated"] + run["failed"]
    if run["ingested"] == run["expected"]:
        return f"{done:,} of {run['ingested']:,} diamonds consolidated"
    return f"{finished} of {partitions} partitions, {run['ingested']:,} of {run['expected']:,} diamonds, {note}"


async def _planned(app: App, started: dict[str, Any]) -> bool:
    """Whether the run has its row; an orchestration that failed before that says why."""
    runs = (await app.ask("/api/v2/analytics/runs?limit=1"))["data"]
    if runs and runs[0]["run_id"] == started["run_id"]:
        return True
    instance = await app.ask(f"/ops/runs/{started['id']}")
    if error := instance["error"]:
        raise DemoFailed(f"The run did not start: {error['message']} {error['remedy'] or ''}")
    return False


def _speed(run: dict[str, Any], seconds: float) -> str:
    rate = run["ingested"] / seconds
    if not rate or run["ingested"] >= run["expected"]:
        return ""
    return f"{rate:,.0f} rows/s, about {(run['expected'] - run['ingested']) / rate:,.0f} s to go"


def _outcome(run: dict[str, Any], offered: int, before: dict[str, Any], after: dict[str, Any], stack: Stack) -> Table:
    table = Table(title="The run", title_justify="left", show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    seconds = _seconds(run)
    requests = after["requests"] - before["requests"]
    limit = float(stack.settings["NIVODA_REQUESTS_PER_SECOND"])
    rows = {
        "status": run["status"],
        "diamonds at the supplier": f"{offered:,}",
        "ingested (raw rows)": f"{run['ingested']:,}",
        "consolidated and priced": f"{run['consolidated']:,}",
        "failed, with a reason": f"{run['failed']:,}",
        "partitions": f"{run['partitions']} ({run['partitions_failed']} failed)",
        "requests to the supplier": f"{requests:,}, {requests / seconds:.1f}/s of {limit:g}/s allowed",
        "busiest second at the supplier": f"{after['peak_per_second']} requests",
        "watermark": run["watermark_after"] or "not moved",
        "duration": f"{seconds:.1f} s, {run['ingested'] / seconds:,.0f} diamonds/s",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _seconds(run: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "completed_at"))
    return max((ended - began).total_seconds(), 0.001)


def _balance(partitions: list[dict[str, Any]]) -> Table:
    table = Table(title="Balance of the partitions", title_justify="left")
    for name in ("partition", "prices, USD", "diamonds", "of the mean", "state"):
        table.add_column(name, justify="left" if name in ("partition", "state") else "right")
    mean = sum(part["records"] for part in partitions) / max(len(partitions), 1)
    for part in partitions:
        low, high = part["prices"]["minimum"], part["prices"]["maximum"] - 1
        prices = f"{low:,} to {high:,}" if high < OPEN_ENDED else f"{low:,} and more"
        share = f"{part['records'] / mean:.0%}" if mean else "-"
        table.add_row(
            part["partition_id"],
            prices,
            f"{part['records']:,}",
            share,
            part["error"] or part["status"],
        )
    return table


async def _prices(dsn: str, feed: str) -> Table:
    query = """
        select count(*), min(retail_price), avg(retail_price)::numeric(12, 2),
            percentile_disc(0.5) within group (order by retail_price), max(retail_price),
            avg(price_per_carat)::numeric(12, 2)
        from diamonds.diamonds where feed = %s and status = 'active'
    """
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        row = await (await connection.execute(query, (feed,))).fetchone()
    assert row is not None
    table = Table(title="Retail prices, USD", title_justify="left")
    for name in ("diamonds", "lowest", "mean", "median", "highest", "mean cost per carat"):
        table.add_column(name, justify="right")
    table.add_row(*(f"{value:,}" if value is not None else "-" for value in row))
    return table
