"""One version of an app: started, found healthy or not, and from then on kept running until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import StrEnum
from time import monotonic

import httpx

from local.apps.commands.logs import LogFile
from local.apps.commands.process import Command, Process
from local.apps.orders import RevisionHealth
from local.apps.revisions.listening import is_foreign, places_of
from local.processes import LOOPBACK, free_port

LOOK_SECONDS = 0.1
PROBE_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 30.0
DRAIN_SECONDS = 240.0
"""How long a request may still take once its revision is replaced: as long as the ingress of Container Apps allows."""
RECENTLY_SECONDS = 60.0
_TAKEN = "another program took its port"
_SERVER_ERROR = 500
_CLIENT_ERROR = 400
_NOT_FOUND = 404


class Health(StrEnum):
    """How a revision is."""

    STARTING = "starting"
    HEALTHY = "healthy"
    FAILED = "failed"
    """It never became healthy, and does not run."""
    STOPPED = "stopped"


class Revision:
    """A revision that runs, or is being started again after it ended.

    Args:
        command: makes the command for the port that it shall listen on.
        proven: it was healthy before, so that it is started again however often it ends.
        health_seconds: seconds that it may take to become healthy.
        health_path: has to answer with 200 to 399; None: the app has to answer, below 500.
        on_judged: is called once, when it is known whether it is healthy.
    """

    def __init__(
        self,
        command: Callable[[int], Command],
        log: LogFile,
        client: httpx.AsyncClient,
        *,
        proven: bool,
        health_seconds: float,
        health_path: str | None = None,
        on_judged: Callable[[Health, str | None], None],
    ) -> None:
        self._command = command
        self._log = log
        self._client = client
        self._proven = proven
        self._health_seconds = health_seconds
        self._health_path = health_path
        self._on_judged = on_judged
        self._process: Process | None = None
        self._requests = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._judged = asyncio.Event()
        self.health = Health.STARTING
        self.reason: str | None = None
        self.port: int | None = None
        self.restarts = 0
        self._ended: tuple[float, str] | None = None
        self._keeper = asyncio.create_task(self._keep())

    @contextmanager
    def in_use(self) -> Generator[None]:
        """While a request is with this revision."""
        self._requests += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def judged(self, seconds: float) -> None:
        """Wait until it is known whether it is healthy, for that long at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._judged.wait(), seconds)

    async def complaint(self) -> str | None:
        """What is wrong with it at this moment; None: it is healthy."""
        if self.health is not Health.HEALTHY or self.port is None:
            return self.reason or f"it is {self.health}"
        _, wrong = await self._probe(self.port)
        return wrong

    def condition(self) -> RevisionHealth:
        """How it is doing. One that ended within the last minute is not well, though it runs again."""
        recently = self._ended is not None and monotonic() - self._ended[0] < RECENTLY_SECONDS
        healthy = self.health is Health.HEALTHY and not recently
        reason = (
            None if healthy else f"{self._ended[1][0].upper()}{self._ended[1][1:]}." if self._ended else self.reason
        )
        return RevisionHealth(healthy=healthy, restarts=self.restarts, reason=reason)

    async def drain(self) -> None:
        """Wait until no request is with it, for DRAIN_SECONDS at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), DRAIN_SECONDS)

    async def stop(self) -> None:
        """End it."""
        self._keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeper
        self.port = None
        if self.health is not Health.FAILED:
            self.health = Health.STOPPED
        if self._process is not None:
            await self._process.stop()

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = monotonic()
            port = free_port()
            self._process = await Process.start(self._command(port), self._log)
            wrong = await self._becomes_healthy(self._process, port)
            if wrong == _TAKEN:  # also by a program that answers as a healthy app does
                await self._process.stop()
                continue
            if wrong is None:
                self._judge(Health.HEALTHY, port, None)
                ended = await self._process.wait()
                wrong = ended.words
            elif not self._proven:
                await self._process.stop()
                cause = f" Its log says: {self._log.cause}" if self._log.cause else ""
                self._judge(Health.FAILED, None, f"{wrong}.{cause}"[:1_000])
                return
            self.health, self.port = Health.STARTING, None
            self._ended = (monotonic(), wrong)
            await self._process.stop()
            if monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._log(f"The app ended: {wrong}. It is started again in {pause:g} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            self.restarts += 1

    def _judge(self, health: Health, port: int | None, reason: str | None) -> None:
        self.health, self.port, self.reason = health, port, reason
        if not self._judged.is_set():
            self._on_judged(health, reason)
        self._proven = self._proven or health is Health.HEALTHY
        self._judged.set()

    async def _becomes_healthy(self, process: Process, port: int) -> str | None:
        """None once it is healthy, else what is wrong with it."""
        deadline = monotonic() + self._health_seconds
        while True:
            listened, wrong = await self._probe(port)
            if not process.running:
                return (await process.wait()).words
            # Whose a port is takes a look at all connections of the machine, in 10 ms of CPU.
            if listened and await asyncio.to_thread(is_foreign, port, process.pid):
                return _TAKEN
            if wrong is None:
                return None
            if monotonic() > deadline:
                return f"after {self._health_seconds:g} s {wrong}{await self._elsewhere(process, port)}"
            await asyncio.sleep(LOOK_SECONDS)

    async def _elsewhere(self, process: Process, port: int) -> str:
        """Where it listens instead of at its port, if it does."""
        places = await asyncio.to_thread(places_of, process.pid)
        if not places or any(place.reached_at(LOOPBACK, port) for place in places):
            return ""
        return f", and listens at {' and '.join(map(str, places))} instead of {LOOPBACK}:{port}"

    async def _probe(self, port: int) -> tuple[bool, str | None]:
        """Whether anybody listens, and None if it is healthy, else what is wrong.

        It is healthy if /health answers below 500, or / where there is no /health.
        Where the app has named a path, that one counts alone, and has to answer below 400.
        """
        for path in (self._health_path,) if self._health_path else ("/health", "/"):
            try:
                answer = await self._client.get(f"http://{LOOPBACK}:{port}{path}", timeout=PROBE_SECONDS)
            except httpx.HTTPError as error:
                silent = f"{path} did not answer ({type(error).__name__}); it has to listen on the port in PORT"
                return not isinstance(error, httpx.ConnectError), silent
            if answer.status_code >= (_CLIENT_ERROR if self._health_path else _SERVER_ERROR):
                return True, f"{path} answered {answer.status_code}"
            if answer.status_code != _NOT_FOUND:
                break
        return True, None
