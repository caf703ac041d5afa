"""Orchestrations beside Microsoft's extension and DBOS: `python -m bench local_host.orchestrations [--quick]`.

Each workflow runs on a host process of our own and on DBOS over PostgreSQL (in .venv-bench, filled from
requirements-bench.txt), in turns within this one call; medians count. Microsoft's figures were recorded from its
extension 3.19.0 over Azurite on a machine of the same kind (2 cores). Beside each stands what the SDK itself takes of
it, measured on the bare engine: what it takes, no backend can give back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers import peer_python
from bench.report import comparison, console, middle
from local.host.testing import HostProcess
from local.postgres import server

HERE = Path(__file__).parent
WEBHOOK = "/runtime/webhooks/durabletask"
GOAL_OVER_MICROSOFT = 15
QUICK_SIZE = 200


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
    sdk: tuple[float, float, float] = (0, 0, 0)
    """CPU seconds: inside the SDK as shipped, inside it with the host's caches, in all on the bare engine."""


def _workloads(*, quick: bool) -> list[Workload]:
    every = [
        Workload("fan-out of 100", "fan_out", 100, 1, 2.2),
        Workload("fan-out of 1,000", "fan_out", 1000, 1, 23.2),
        Workload("fan-out of 5,000", "fan_out", 5000, 1, None),
        Workload("chain of 50", "chain", 50, 1, 6.3),
        Workload("chain of 200", "chain", 200, 1, 34.0),
        Workload("100 chains of 20", "chain", 20, 100, 42.0),
    ]
    return [work for work in every if not quick or work.size <= QUICK_SIZE]


async def _start_and_wait(port: int, work: Workload) -> None:
    """Start one orchestration over HTTP and wait for its answer on the same connection, as thinly as can be."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps(str(work.size)).encode()
    path = f"{WEBHOOK}/orchestrators/{work.name}?timeout=600&pollingInterval=1"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    answer = await reader.read()
    writer.close()
    result = json.loads(answer.partition(b"\r\n\r\n")[2])
    expected = work.size * (work.size - 1) // 2
    assert result == expected, result


async def _run_ours(port: int, work: Workload) -> float:
    """Seconds from the first start to the last result."""
    began = time.perf_counter()
    await asyncio.gather(*(_start_and_wait(port, work) for _ in range(work.instances)))
    return time.perf_counter() - began


class _Dbos:
    """DBOS in its own environment, on a PostgreSQL of its own."""

    def __init__(self, python: Path, dsn: str) -> None:
        command = [str(python), str(HERE / "dbos_peer.py"), dsn]
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
        self._process.kill()
        self._process.wait()


def _times(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.1f} x faster" if theirs >= ours else f"{ours / theirs:.1f} x slower"


def _report(works: list[Workload]) -> None:
    title = f"Seconds, medians (goals: {GOAL_OVER_MICROSOFT} x Microsoft's, ahead of DBOS)"
    table = comparison(
        title, ("workflow", "ours", "Microsoft's", "", "DBOS", "", "SDK alone", "of the engine", "SDK as shipped")
    )
    for work in works:
        ours, dbos = middle(work.ours), middle(work.dbos)
        recorded = (f"{work.microsoft:.1f}", _times(work.microsoft, ours)) if work.microsoft else ("-", "-")
        shipped, cached, whole = work.sdk
        sdk = (f"{cached:.2f}", f"{cached / whole:.0%}", f"{shipped:.2f}")
        table.add_row(work.title, f"{ours:.2f}", *recorded, f"{dbos:.2f}", _times(dbos, ours), *sdk)
    console.print(table)


def _sdk_share(work: Workload) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "bench.local_host.sdk_share", work.name, str(work.size), str(work.instances)]
    shipped, cached, whole = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return shipped, cached, whole


def main(*, quick: bool = False) -> None:
    """Run and print."""
    python = peer_python()
    works = _workloads(quick=quick)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-host-")))
        host = stack.enter_context(HostProcess(HERE / "app", folder / "host"))
        dbos = _Dbos(python, stack.enter_context(server(folder / "postgres", throwaway=True)).dsn)
        stack.callback(dbos.close)
        asyncio.run(_run_ours(host.port, Workload("warm-up", "chain", 5, 1, None)))
        for _ in range(1 if quick else 3):
            for work in works:
                work.ours.append(asyncio.run(_run_ours(host.port, work)))
                work.dbos.append(dbos.run(work))
    for work in works:
        work.sdk = _sdk_share(work)
    _report(works)


if __name__ == "__main__":
    main()
