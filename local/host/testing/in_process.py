"""An app in this process, on a thread with a loop of its own, with a clock that the test moves."""

import asyncio
import contextlib
import io
import os
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, cast

from local.host.core import logs
from local.host.core.clock import Clock, ManualClock
from local.host.core.logs import HostLogHandler, LogLevels
from local.host.host import Host
from local.host.settings.options import HostOptions
from local.host.testing.client import HostClient
from local.host.testing.process import HostDidNotStart
from local.host.worker.invocations import Invocation


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
        logs.install(self._handler, levels, {**os.environ, **self.host.options.environment})
        self._thread = threading.Thread(target=self._run, args=(ready,), name="local.host", daemon=True)
        self._thread.start()
        try:
            ready.result(timeout=60)
        except BaseException:
            logs.uninstall(self._handler)
            raise
        self.url = f"http://127.0.0.1:{self.host.app.port}"
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
        return list(self.host.app.dispatcher.recent)

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
        if self.host.app.table.failure is not None:
            await self.host.stop()
            ready.set_exception(HostDidNotStart(self.host.app.table.failure))
            return
        ready.set_result(None)
        await self._stop.wait()
        await self.host.stop()
