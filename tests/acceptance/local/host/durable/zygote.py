"""Forks hosts from a process that has loaded everything but the app: each is a process of its own, ready at once.

Run as a program: each line of its input is `{"arguments", "environment", "output"}`, answered by the process id.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from local.host.testing.client import HostClient

_LOADED = (
    "azure.durable_functions",
    "local.host.__main__",
    "local.host.durable.extension",
    "local.host.storage.queue_trigger",
    "local.host.servicebus.trigger",
    "local.host.storage.queues",
)
_POLL_SECONDS = 0.005


class ForkedHost(HostClient):
    """A host process that starts in a fraction of a second, for tests that kill many of them."""

    def __init__(self, app: Path, data: Path, environment: dict[str, str]) -> None:
        self._output = data.with_suffix(".log")
        self._order = {
            "arguments": [str(app), "--port", "0", "--data", str(data)],
            "environment": environment,
            "output": str(self._output),
        }
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.local.host.durable.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[5],
        )
        self._pid = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        self._zygote.kill()
        self._zygote.wait()

    def start(self, timeout: float = 30) -> None:
        """Start it and wait until it is ready."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._output.unlink(missing_ok=True)
        self._zygote.stdin.write(json.dumps(self._order) + "\n")
        self._zygote.stdin.flush()
        self._pid = int(self._zygote.stdout.readline())
        deadline = time.monotonic() + timeout
        while not (ready := [line for line in self._lines() if line.startswith("ready http")]):
            assert time.monotonic() < deadline, "\n".join(self._lines())
            time.sleep(_POLL_SECONDS)
        self.url = ready[0].split()[1].replace("localhost", "127.0.0.1")

    def kill(self) -> None:
        """SIGKILL: nothing in the process gets to run any more; returns when it is gone."""
        while self._pid:
            try:
                os.kill(self._pid, signal.SIGKILL)
                time.sleep(_POLL_SECONDS)
            except ProcessLookupError:
                self._pid = 0

    def _lines(self) -> list[str]:
        # A line without its end is still being written.
        return self._output.read_text().split("\n")[:-1] if self._output.exists() else []


def _become_host(order: dict[str, Any]) -> None:
    from local.host.__main__ import main

    os.environ.update(order["environment"])
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.exit(main(order["arguments"]))


def _serve() -> None:
    for name in _LOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that killed hosts leave the process table by themselves
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become_host(json.loads(line))
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()
