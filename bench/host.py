"""The local host beside Microsoft's extension and DBOS: `python -m bench.host [--rounds N] [--without-peer]`.

Each workflow runs on a host process of our own and on DBOS over PostgreSQL (in .venv-bench, filled from
requirements-bench.txt), in turns within this one call; medians count. Microsoft's figures were recorded on a machine of
the same kind (2 cores) from its extension 3.19.0 over Azurite. Then HTTP requests/s of a function beside the same
answer of bare Starlette, and how much of an orchestrator's time the SDK itself takes.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from local.host.testing import HostProcess
from local.postgres import server

HERE = Path(__file__).parent
PEER_PYTHON = HERE.parent / ".venv-bench" / "bin" / "python"
WEBHOOK = "/runtime/webhooks/durabletask"
GOAL_OVER_MICROSOFT = 15
HTTP_SECONDS = 3.0
HTTP_CONNECTIONS = 32


@dataclass
class Workload:
    """A workflow, its size, how many run at once, and Microsoft's seconds for it (None: not recorded)."""

    title: str
    name: str
    size: int
    instances: int
    microsoft: float | None
    ours: list[float] = field(default_factory=list[float])
    dbos: list[float] = field(default_factory=list[float])


def workloads() -> list[Workload]:
    return [
        Workload("fan-out of 100", "fan_out", 100, 1, 2.2),
        Workload("fan-out of 1,000", "fan_out", 1000, 1, 23.2),
        Workload("fan-out of 5,000", "fan_out", 5000, 1, None),
        Workload("chain of 50", "chain", 50, 1, 6.3),
        Workload("chain of 200", "chain", 200, 1, 34.0),
        Workload("100 chains of 20", "chain", 20, 100, 42.0),
    ]


class Connection:
    """One kept-alive HTTP connection, as thin as can be: the client must not be what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The body of the answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        lower = answer.lower()
        if b"content-length:" in lower:
            length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
            return await self._reader.readexactly(length)
        chunks = b""
        while size := int(await self._reader.readline(), 16):
            chunks += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return chunks

    def close(self) -> None:
        self._writer.close()


async def run_ours(port: int, work: Workload) -> float:
    """Seconds from the first start to the last result, over HTTP."""
    expected = work.size * (work.size - 1) // 2

    async def one() -> None:
        connection = await Connection.open(port)
        path = f"{WEBHOOK}/orchestrators/{work.name}?timeout=600&pollingInterval=1"
        result = await connection.send("POST", path, json.dumps(str(work.size)).encode())
        assert json.loads(result) == expected, result
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(work.instances)))
    return time.perf_counter() - began


async def requests_per_second(port: int, path: str) -> float:
    """Answers a second over a number of kept-alive connections."""
    connections = [await Connection.open(port) for _ in range(HTTP_CONNECTIONS)]
    deadline = time.perf_counter() + HTTP_SECONDS
    counts = [0] * HTTP_CONNECTIONS

    async def hammer(number: int) -> None:
        while time.perf_counter() < deadline:
            assert await connections[number].send("GET", path) == b"hello"
            counts[number] += 1

    await asyncio.gather(*(hammer(number) for number in range(HTTP_CONNECTIONS)))
    for connection in connections:
        connection.close()
    return sum(counts) / HTTP_SECONDS


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


bare = Starlette(routes=[Route("/hello", hello)])


@contextlib.contextmanager
def bare_starlette() -> Generator[int]:
    """The peer for HTTP: Starlette on uvicorn and nothing else, in a process of its own."""
    command = [sys.executable, "-m", "bench.host", "--serve-bare"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().split()[1])
        finally:
            process.kill()  # it would wait for the client's kept-alive connections


def serve_bare() -> None:
    config = uvicorn.Config(bare, port=0, log_level="error", access_log=False)
    bound = config.bind_socket()
    bound.listen(128)
    print("ready", bound.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[bound])


class Peer:
    """DBOS in its own environment, on a PostgreSQL of its own."""

    def __init__(self, dsn: str) -> None:
        command = [str(PEER_PYTHON), str(HERE / "dbos_peer.py"), dsn]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise SystemExit("DBOS ended; its own output above says why.")
        return line

    def run(self, work: Workload) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{work.name} {work.size} {work.instances}\n")
        self._process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def sdk_share(size: int) -> tuple[float, float, float]:
    """A chain on the bare engine: seconds in the SDK as shipped, seconds with its timestamps remembered, and in all."""
    command = [sys.executable, "-m", "bench.sdk_share", str(size)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    shipped, remembered, whole = json.loads(text)
    return shipped, remembered, whole


def report(works: list[Workload]) -> bool:
    """Print the table; whether every goal is met."""
    print(f"\n{'workflow':<18}{'ours':>9}{'Microsoft':>11}{'ratio':>8}{'DBOS':>9}{'ratio':>8}   (seconds, medians)")
    met = True
    for work in works:
        ours = statistics.median(work.ours)
        microsoft = f"{work.microsoft:>11.1f}{work.microsoft / ours:>7.1f}x" if work.microsoft else f"{'-':>11}{'-':>8}"
        dbos = statistics.median(work.dbos) if work.dbos else None
        beside = f"{dbos:>9.2f}{dbos / ours:>7.1f}x" if dbos else f"{'-':>9}{'-':>8}"
        print(f"{work.title:<18}{ours:>9.2f}{microsoft}{beside}")
        met &= not work.microsoft or work.microsoft / ours >= GOAL_OVER_MICROSOFT
        met &= dbos is None or dbos > ours
    return met


def measure(rounds: int, *, with_peer: bool) -> bool:
    works = workloads()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-host-")))
        host = stack.enter_context(HostProcess(HERE / "host_app", folder / "host"))
        peer: Peer | None = None
        if with_peer:
            peer = Peer(stack.enter_context(server(folder / "postgres", 0)).dsn)
            stack.callback(peer.close)
        asyncio.run(run_ours(host.port, Workload("warm-up", "chain", 5, 1, None)))
        for number in range(rounds):
            for work in works:
                work.ours.append(asyncio.run(run_ours(host.port, work)))
                if peer is not None:
                    work.dbos.append(peer.run(work))
                beside = f", DBOS {work.dbos[-1]:.2f} s" if work.dbos else ""
                print(f"round {number + 1}: {work.title:<18} {work.ours[-1]:.2f} s{beside}", flush=True)
        met = report(works)
        ours = asyncio.run(requests_per_second(host.port, "/hello"))
    with bare_starlette() as port:
        starlette = asyncio.run(requests_per_second(port, "/hello"))
    print(
        f"\nHTTP requests/s: {ours:,.0f} for a function, {starlette:,.0f} for bare Starlette ({ours / starlette:.0%})"
    )
    shipped, remembered, whole = sdk_share(200)
    print(
        f"chain of 200 on the bare engine: {whole:.2f} s of CPU, of which the SDK takes {remembered:.2f} s "
        f"({remembered / whole:.0%}); as shipped, parsing each timestamp on every turn, the SDK takes {shipped:.2f} s"
    )
    return met


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.host", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each workflow runs (default %(default)s)")
    parser.add_argument("--without-peer", action="store_true", help="leave DBOS out")
    parser.add_argument("--serve-bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_bare:
        serve_bare()
        return 0
    if not options.without_peer and not PEER_PYTHON.exists():
        print(
            f"{PEER_PYTHON} is missing. Make it with: uv venv .venv-bench && "
            "uv pip install --python .venv-bench/bin/python -r requirements-bench.txt"
        )
        return 1
    met = measure(options.rounds, with_peer=not options.without_peer)
    print(
        f"goals (at least {GOAL_OVER_MICROSOFT} times Microsoft's figures, ahead of DBOS): {'met' if met else 'MISSED'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
