"""The second act: a small web app from a zip to a running address, a broken version that gets no traffic, a cancel."""

from __future__ import annotations

import asyncio
import time
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
from rich.console import Console

from local.demo.client import App, DemoFailed
from local.up import ROOT, Stack

HELLO = ROOT / "examples" / "hello"
ORGANIZATION = "demo"
SECONDS = 90
BROKEN = 'raise SystemExit("this version is broken")\n'
ENDED = ("completed", "failed", "cancelled")


async def run(_stack: Stack, app: App, console: Console) -> None:
    """Deploy the example, a broken version of it, and a third that is cancelled.

    Raises:
        DemoFailed: something else happened than is shown.
    """
    console.print("\nA deployment: examples/hello goes as a zip to the app, which builds and runs it in six steps.")
    first = await _deployed(app, console, await _deploy(app, _zip({})), "completed")
    url = first["containerAppUrl"]
    console.print(f"It answers at {url}: [green]{await _headline(url)}[/green]")

    console.print("\nA broken version: it is built and started beside the first, and never gets traffic.")
    broken = await _deployed(app, console, await _deploy(app, _zip({"app.py": BROKEN})), "failed")
    console.print(f"[yellow]{broken['error']['message']}[/yellow]")
    console.print(f"{url} still answers: [green]{await _headline(url)}[/green]")

    console.print("\nA third, cancelled while it builds.")
    third = await _deploy(app, _zip({}), buildCommand='python -c "import time; time.sleep(60)"')
    await _until(app, third, ("building_image", *ENDED))
    cancelled_at = time.monotonic()
    await app.ask(f"/deploy/{third}/cancel", {})
    await _deployed(app, console, third, "cancelled")
    console.print(
        f"Cancelled and undone in {time.monotonic() - cancelled_at:.1f} s; {url} still answers: {await _headline(url)}"
    )


async def _deploy(app: App, source: bytes, **changes: str) -> str:
    """Upload the source and ask for its deployment; the deployment's id."""
    path = f"/deploy/project/hello/source?organizationId={ORGANIZATION}"
    uploaded = await app.upload(path, source)
    request = {
        "projectId": "hello",
        "userId": "you",
        "organizationId": ORGANIZATION,
        "projectName": "Hello",
        "sourceHash": uploaded["sourceHash"],
        "buildCommand": "python build.py",
        "startCommand": "python app.py",
        "envVariables": {"GREETING": "Hello from the demo"},
        **changes,
    }
    return (await app.ask("/deploy", request))["deploymentId"]


async def _deployed(app: App, console: Console, deployment: str, wanted: str) -> dict[str, Any]:
    found = await _until(app, deployment, ENDED)
    steps = ", ".join(f"{one['name']} {one['duration']:.1f} s" for one in found["steps"])
    console.print(f"{deployment} {found['status']}: {steps}")
    if found["status"] != wanted:
        page = await app.ask(f"/deploy/{deployment}/logs")
        raise DemoFailed(f"{deployment} is {found['status']}, not {wanted}. Its log ends:\n" + "\n".join(page["lines"]))
    return found


async def _until(app: App, deployment: str, statuses: tuple[str, ...]) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = await app.ask(f"/deploy/{deployment}/status")
        if found["status"] in statuses:
            return found
        await asyncio.sleep(0.1)
    raise DemoFailed(f"{deployment} did not come to {' or '.join(statuses)} within {SECONDS} s.")


async def _headline(url: str) -> str:
    async with httpx.AsyncClient(timeout=20) as http:
        answer = await http.get(url)
    if not answer.is_success:
        raise DemoFailed(f"{url} answered {answer.status_code}.")
    return answer.text.partition("<h1>")[2].partition("</h1>")[0].strip()


def _zip(changes: dict[str, str]) -> bytes:
    """The example as a zip, with some files changed."""
    held = BytesIO()
    with ZipFile(held, "w") as zipped:
        for path in _files():
            name = path.relative_to(HELLO).as_posix()
            zipped.writestr(name, changes.get(name, path.read_text(encoding="utf-8")))
    return held.getvalue()


def _files() -> list[Path]:
    made = {"public", "__pycache__"}
    return [p for p in sorted(HELLO.rglob("*")) if p.is_file() and not made & set(p.relative_to(HELLO).parts)]
