"""The act of the papers: real records in, one rejected, embedded, searched for what they answer, and on a map."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
from rich.console import Console
from rich.table import Table

from local.demo import papers_map
from local.demo.client import App, DemoFailed
from local.up import ROOT, Stack

EXAMPLES = ROOT / "examples" / "papers"
QUESTIONS = (
    ("photon pairs at hadron colliders", None),
    ("learning many tasks one after the other without forgetting", None),
    ("how stars form in distant galaxies", "source = arxiv and year = 2007"),
    ("arXiv:0704.0001", None),
)
WAIT_SECONDS = 120


async def run(stack: Stack, app: App, console: Console) -> None:
    """Take two files in, turn them into vectors, ask, and draw the map of them.

    Raises:
        DemoFailed: a record is missing, a question is not answered by as many papers as were asked for, or the map
            lacks a paper.
    """
    console.print("\nPapers: two files of real arXiv records, with one that is broken.")
    snapshot = (EXAMPLES / "arxiv-snapshot.jsonl").read_bytes() + b'{"id": "0000.00000", "title": null}\n'
    listing = (EXAMPLES / "arxiv-listing.jsonl.gz").read_bytes()
    # Named by the clock, since a file that was taken in before would change nothing.
    names = [f"snapshot-{time.time_ns()}.jsonl", f"listing-{time.time_ns()}.jsonl.gz"]
    await _ingest(app, console, names[0], "arxiv", snapshot)
    await _ingest(app, console, names[1], "arxiv-listing", listing)
    await _embed(app, console)
    for written, filters in QUESTIONS:
        await _ask(app, console, written, filters)
    known = len(snapshot.splitlines()) - 1 + len(gzip.decompress(listing).splitlines())
    total = sum(one["papers"] for one in (await app.ask("/api/sources"))["sources"])
    if total != known:
        raise DemoFailed(f"Of {known:,} papers {total:,} are in the table.")
    console.print(f"[green]All {total:,} papers are in the table once, however often the demo ran.[/green]")
    await papers_map.run(stack, app, console, total)


async def _ingest(app: App, console: Console, name: str, source: str, data: bytes) -> None:
    began = time.monotonic()
    upload = await app.ask("/api/papers/uploads", {"name": name, "source": source})
    async with httpx.AsyncClient(timeout=60) as storage:
        (await storage.put(upload["url"], content=data, headers=upload["headers"])).raise_for_status()
    started = await app.ask("/api/papers/ingest", {"blob": upload["blob"], "source": source})
    ingest = await _until(app, started["location"], lambda one: one["state"] in ("completed", "held", "failed"))
    if ingest["state"] != "completed":
        raise DemoFailed(f"{name} is {ingest['state']}: {ingest['error'] or ingest['held_because']}")
    console.print(
        f"{name}: {ingest['records']:,} records read in {time.monotonic() - began:.1f} s; {ingest['added']:,} papers"
        f" are new, {ingest['changed']:,} changed, {ingest['unchanged']:,} known."
    )
    for reject in (await app.ask(f"{started['location']}/rejects"))["data"]:
        console.print(f"[yellow]  line {reject['line']:,} is rejected: {reject['reason']}.[/yellow]")


async def _embed(app: App, console: Console) -> None:
    began = time.monotonic()
    await app.ask("/api/papers/enrich", {})
    found = await _until(app, "/api/papers/models", lambda answer: _current(answer).get("waiting") == 0)
    model = _current(found)
    console.print(
        f"The model {model['name']} {model['version']} has turned {model['texts']:,} papers into vectors of"
        f" {model['dimensions']} numbers; {time.monotonic() - began:.1f} s of it now."
    )


def _current(answer: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The model that is searched; empty: there is none yet."""
    return next((one for one in answer["models"] if one["state"] == "current"), dict[str, Any]())


async def _ask(app: App, console: Console, written: str, filters: str | None) -> None:
    query = {"search_text": written, "limit": "3", **({"filters": filters} if filters else {})}
    found = await app.ask(f"/api/papers?{urlencode(query)}")
    table = Table(title=f"{written}{f'  [{filters}]' if filters else ''}", title_justify="left", show_header=False)
    table.add_column("likeness", justify="right")
    table.add_column("title")
    for paper in found["results"]:
        table.add_row(f"{paper['similarity']:.2f}" if "similarity" in paper else "", paper["doctrove_title"])
    console.print(table)
    plan = ", ".join(found["plan"])
    console.print(
        f"  {found['execution_time_ms']:.0f} ms, found by: {plan}; {found['total_count']:,} papers may be found."
    )
    if not found["results"] or (
        found["plan"] != ["identifier"] and len(found["results"]) < min(3, found["total_count"])
    ):
        raise DemoFailed(f"The answer to {json.dumps(written)} is short.")


async def _until(app: App, path: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds(found := await app.ask(path)):
        if time.monotonic() > deadline:
            raise DemoFailed(f"{path} is not ready after {WAIT_SECONDS} s: {found}")
        await asyncio.sleep(0.2)
    return found
