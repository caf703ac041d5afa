"""The host as a test tool: an app in this process with a clock that the test moves, or as a process that can be killed.

    with InProcessHost(Path("my-app"), clock=ManualClock()) as app:
        instance = app.start_orchestration("approval", {"order": 7})
        app.advance(hours=24)
        assert app.wait_for(instance).output == "escalated"

One app with durable functions at a time in this process: the SDK's client keeps its connections in a global of its own.
Both take any app folder, listen on a free port, and keep their state where the test says. The process runs in the app's
folder; in this process the current folder stays as it is.
"""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, cast

from local.host.core import logs
from local.host.core.clock import Clock, ManualClock
from local.host.core.logs import HostLogHandler, LogLevels
from local.host.host import Host, HostOptions
from local.host.testing.client import HostClient
from local.host.worker.invocations import Invocation

_PROJECT = Path(__file__).parents[3]


class HostDidNotStart(Exception):
    """The host ended, or was not ready in time; the message holds what it printed."""


@dataclass
class HostProcess(HostClient):
    """`python -m local.host` as a process of its own, which a test may kill at any moment and start again."""

    app: Path
    data: Path
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    port: int = 0
    output: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
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
        command = [
            sys.executable,
            "-m",
            "local.host",
            str(self.app),
            "--port",
            str(self.port),
            "--data",
            str(self.data),
        ]
        path = os.pathsep.join([str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(  # noqa: S603 - the host itself, with arguments of the test's own
            [*command, *self.arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **self.environment},
        )
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

    def _ended(self) -> None:
        # The reader says "ready" at the end of a process, too, and must not say so into the next start.
        if self._reader is not None:
            self._reader.join(timeout=10)

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line.rstrip("\n"))
            if line.startswith("ready http"):
                self.url = line.split()[1].replace("localhost", "127.0.0.1")
                self.port = int(self.url.rsplit(":", 1)[1])
                self._ready.set()
        process.wait()
        self._ready.set()


class InProcessHost(HostClient):
    """An app in this process, on a thread with a loop of its own: breakpoints work, and a test can move the clock."""

    def __init__(
        self,
        app: Path,
        *,
        clock: Clock | None = None,
        data: Path | None = None,
        settings: Mapping[str, str] | None = None,
        enable_auth: bool = False,
        only: Sequence[str] = (),
    ) -> None:
        self._own_data = None if data is not None else tempfile.TemporaryDirectory(prefix="local-host-")
        folder = data if data is not None else Path(cast("Any", self._own_data).name)
        options = HostOptions(
            app=app.resolve(),
            data=folder,
            port=0,
            only=tuple(only),
            enable_auth=enable_auth,
            environment=settings or {},
        )
        self.host = Host(options, clock)
        self._log = io.StringIO()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def __enter__(self) -> Self:
        ready: Future[None] = Future()
        levels = LogLevels({})
        self._handler = HostLogHandler(self._log, levels, as_json=False)
        logs.install(self._handler, levels)
        self._thread = threading.Thread(target=self._run, args=(ready,), name="local.host", daemon=True)
        self._thread.start()
        try:
            ready.result(timeout=60)
        except BaseException:
            logs.uninstall(self._handler)
            raise
        self.url = f"http://127.0.0.1:{self.host.port}"
        return self

    def __exit__(self, *exc: object) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(timeout=30)
        logs.uninstall(self._handler)
        if self._own_data is not None:
            self._own_data.cleanup()

    @property
    def log(self) -> str:
        """Everything logged since the start."""
        return self._log.getvalue()

    @property
    def invocations(self) -> list[Invocation]:
        """The runs of functions since the start, the newest first."""
        return list(self.host.dispatcher.recent)

    def advance(self, *, timeout: float = 30, **duration: float) -> None:
        """Move the manual clock by timedelta(**duration), stopping at each moment for which something waits.

        After each stop everything that woke runs to its end, so that a timer due every minute runs sixty times in an
        hour. Raises TypeError without a ManualClock, AssertionError when the functions keep running for `timeout` s.
        """
        clock = self.host.clock
        if not isinstance(clock, ManualClock):
            raise TypeError("Pass clock=ManualClock() to move the time.")
        target = clock.now() + timedelta(**duration)
        self.settle(timeout)
        while (wake := clock.next_wake()) is not None and wake <= target:
            clock.move_to(max(wake, clock.now()))
            self.settle(timeout)
        clock.move_to(target)
        self.settle(timeout)

    def settle(self, timeout: float = 30) -> None:
        """Wait until nothing runs and nothing is about to. Raises AssertionError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        assert self._loop is not None
        while not asyncio.run_coroutine_threadsafe(self.host.is_quiet(), self._loop).result(timeout):
            if time.monotonic() > deadline:
                raise AssertionError(f"Functions still run after {timeout:g} s.")
            time.sleep(0.002)

    def _run(self, ready: "Future[None]") -> None:
        with contextlib.suppress(Exception):  # `ready` carries a failed start to the test
            asyncio.run(self._serve(ready))

    async def _serve(self, ready: "Future[None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            await self.host.start()
        except BaseException as error:
            ready.set_exception(error)
            raise
        if self.host.table.failure is not None:
            await self.host.stop()
            ready.set_exception(HostDidNotStart(self.host.table.failure))
            return
        ready.set_result(None)
        await self._stop.wait()
        await self.host.stop()
