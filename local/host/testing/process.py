"""The host as a process of its own, which a test may kill at any moment and start again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol, Self

from local.host.testing.client import HostClient

_PROJECT = Path(__file__).parents[3]


class HostDidNotStart(Exception):
    """The host ended, or was not ready in time; the message holds what it printed."""


class Program(Protocol):
    """A process, as subprocess.Popen has it."""

    @property
    def pid(self) -> int: ...
    @property
    def stdout(self) -> IO[str] | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...


@dataclass
class HostProcess(HostClient):
    """The host as a process; `command` is the one that runs it here unless another is named."""

    app: Path
    data: Path
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    port: int = 0
    output: list[str] = field(default_factory=list[str])
    command: Sequence[str] = (sys.executable, "-m", "local.host")

    def __post_init__(self) -> None:
        self._process: Program | None = None
        self._reader: threading.Thread | None = None
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    @property
    def pid(self) -> int:
        """The process id. Raises RuntimeError when it is not running."""
        if self._process is None:
            raise RuntimeError("The host process has not been started.")
        return self._process.pid

    def start(self, timeout: float = 30) -> Self:
        """Start it, on the same port as the last time, and wait until it is ready. Raises HostDidNotStart."""
        self._ready.clear()
        arguments = [str(self.app), "--port", str(self.port), "--data", str(self.data), *self.arguments]
        path = os.pathsep.join([str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **self.environment}
        self._process = self._launch(arguments, environment)
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        if not self._ready.wait(timeout) or self._process.poll() is not None:
            self.kill()
            raise HostDidNotStart("\n".join(self.output))
        return self

    def kill(self) -> None:
        """SIGKILL, as `kill -9` sends it: nothing in the process gets to run any more."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._ended()

    def stop(self, timeout: float = 20) -> int:
        """SIGTERM, and the exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout)
        self._ended()
        return code

    def wait_for_output(self, text: str, timeout: float = 20) -> str:
        """The first line printed that holds the text. Raises AssertionError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            found = next((line for line in list(self.output) if text in line), None)
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} was not printed:\n" + "\n".join(self.output))
            time.sleep(0.02)

    def _launch(self, arguments: list[str], environment: Mapping[str, str]) -> Program:
        """Start it with both outputs in one pipe."""
        return subprocess.Popen(  # noqa: S603 - the host itself, with arguments of the test's own
            [*self.command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env=environment,
        )

    def _ended(self) -> None:
        # The reader says "ready" at the end of a process, too, and must not say so into the next start.
        if self._reader is not None:
            self._reader.join(timeout=10)

    def _read(self, process: Program) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line.rstrip("\n"))
            if line.startswith("ready http"):
                self.url = line.split()[1].replace("localhost", "127.0.0.1")
                self.port = int(self.url.rsplit(":", 1)[1])
                self._ready.set()
        process.wait()
        self._ready.set()
