"""The local host's HTTP requests/s beside bare Starlette on the same server, and how long it takes to be ready."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bench.report import comparison, console, middle, ratio
from local.host.testing import HostProcess
from local.processes import free_port

ROOT = Path(__file__).parents[2]
APP = ROOT / "tests" / "apps" / "bench_http"
CONNECTIONS = 16


def main(*, quick: bool) -> None:
    rounds, seconds = (3, 1.0) if quick else (7, 2.0)
    _starts(rounds)
    _requests(rounds, seconds)


def _starts(rounds: int) -> None:
    table = comparison(f"Ready to serve, of {rounds} starts", ("app", "best ms", "median ms"))
    for name, app in (("one HTTP function", APP), ("durable functions", ROOT / "tests" / "apps" / "durable")):
        times: list[float] = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as data:
                began = time.perf_counter()
                with HostProcess(app, Path(data), environment={"HUB": "BenchHub"}):
                    times.append((time.perf_counter() - began) * 1000)
        table.add_row(name, f"{min(times):.0f}", f"{middle(times):.0f}")
    console.print(table)


def _requests(rounds: int, seconds: float) -> None:
    figures: dict[str, list[float]] = {"bare Starlette": [], "async function": [], "plain function, on a thread": []}
    bare = free_port()
    with tempfile.TemporaryDirectory() as data:
        levels = {"AzureFunctionsJobHost__logging__logLevel__default": "Warning"}
        starlette = subprocess.Popen([sys.executable, "-m", "bench.local_host.http_triggers", str(bare)], cwd=ROOT)
        try:
            with HostProcess(APP, Path(data), environment=levels) as host:
                ports = {"bare Starlette": (bare, "/api/hello"), "async function": (host.port, "/api/hello")}
                ports["plain function, on a thread"] = (host.port, "/api/plain")
                for _ in range(rounds):  # in turn, so that the machine's moods meet all alike
                    for name, (port, path) in ports.items():
                        figures[name].append(asyncio.run(_hammer(port, path, seconds)))
        finally:
            starlette.terminate()
            starlette.wait()
    table = comparison(
        f"GET over {CONNECTIONS} connections, median of {rounds}", ("server", "requests/s", "of Starlette")
    )
    peer = middle(figures["bare Starlette"])
    for name, found in figures.items():
        table.add_row(name, f"{middle(found):,.0f}", ratio(middle(found), peer))
    console.print(table)


async def _hammer(port: int, path: str, seconds: float) -> float:
    """Requests/s of connections that each ask again as soon as they are answered."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
    until = 0.0
    count = 0

    async def ask() -> None:
        nonlocal count
        reader, writer = await _connect(port)
        while time.perf_counter() < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            if b"content-length: 5" in head.lower():
                await reader.readexactly(5)
            else:
                await reader.readuntil(b"0\r\n\r\n")
            count += 1
        writer.close()

    until = time.perf_counter() + seconds
    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return count / seconds


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    deadline = time.perf_counter() + 10
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            if time.perf_counter() > deadline:
                raise
            await asyncio.sleep(0.05)


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


if __name__ == "__main__":
    uvicorn.run(Starlette(routes=[Route("/api/hello", _hello)]), port=int(sys.argv[1]), log_level="warning")
