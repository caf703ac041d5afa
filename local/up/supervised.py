"""One service as a process that is started, watched and started again, with its output in a log file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.processes import tethered
from local.up.services import Service

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A service that ran this long is healthy again: its next crash is followed by the first pause."""


class StartError(Exception):
    """A service did not start; the message has the tail of its log and where that is."""


def log_tail(name: str, what: str, written: bytes, log: Path) -> str:
    """Say what became of a program, with the last line that it wrote."""
    lines = written.decode(errors="replace").strip().splitlines()
    return f"{name} {what}: {lines[-1] if lines else 'it said nothing'}\nIts log: {log}"


class Supervised:
    """Belongs to the main thread's event loop: the kernel ends a process when the thread that started it ends."""

    def __init__(
        self, service: Service, log: Path, environment: Mapping[str, str], root: Path, say: Callable[[str], None]
    ) -> None:
        self.service = service
        self.log = log
        self.ready_ms = 0
        self.restarts = 0
        self._environment = environment
        self._root = root
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The running process, None between two of them."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process and running else None

    async def start(self) -> None:
        """Start the process, wait until it is ready, and keep it running from then on.

        Raises:
            StartError: it ended or was not ready in time; it does not run any more.
        """
        await self._launch()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the process, at the latest by a kill of its process group after the service's time."""
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        await self._end()

    async def _launch(self) -> None:
        began = time.monotonic()
        with self.log.open("ab") as log:
            start = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *tethered(list(self.service.command)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._root,
                env={**os.environ, **self._environment, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor, which stops them in order
            )
        try:
            async with asyncio.timeout(self.service.start_seconds):
                while not self._printed_ready(start):
                    if self._process.returncode is not None:
                        raise StartError(self._log_tail(start, f"ended with code {self._process.returncode}"))
                    await asyncio.sleep(0.03)
        except TimeoutError:
            await self._end()
            raise StartError(self._log_tail(start, f"was not ready after {self.service.start_seconds:.0f} s")) from None
        except asyncio.CancelledError:
            await self._end()
            raise
        self.ready_ms = round((time.monotonic() - began) * 1000)

    def _printed_ready(self, start: int) -> bool:
        return any(
            line.startswith(b"ready ") for line in self._written(start).splitlines(keepends=True) if b"\n" in line
        )

    def _log_tail(self, start: int, what: str) -> str:
        return log_tail(self.service.name, what, self._written(start), self.log)

    def _written(self, start: int) -> bytes:
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read()

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            assert self._process is not None
            began = time.monotonic()
            code = await self._process.wait()
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._say(
                f"{self.service.name} ended with code {code}; starting it again in {pause:.0f} s. Log: {self.log}"
            )
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            try:
                await self._launch()
            except StartError as error:
                self._say(str(error))
            else:
                self.restarts += 1
                self._say(f"{self.service.name} is ready again, process {self.pid}")

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self.service.stop_seconds)
        except TimeoutError:
            self._say(f"{self.service.name} did not end in {self.service.stop_seconds:.0f} s; killing it")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
