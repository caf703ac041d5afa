"""Whether the app can do its work: one probe for each thing it depends on, all at once, each with a time limit.

And what its workloads say of themselves at /status, which runs no probes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import Any, Literal

from pydantic import Field

from shared.platform.errors import ManifoldError
from shared.platform.models import LazyModel

FRESH_SECONDS = 2.0
"""How long a finding is given to whoever asks: the answer is public, and probes are not free."""
FIRST_SECONDS = 20.0
"""The first look loads the client libraries and connects: on a busy or cold machine that alone takes seconds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """A dependency and how to find out whether it answers.

    Attributes:
        probe: raises when the dependency does not answer.
        timeout: seconds after which it does not; the first look of a process has FIRST_SECONDS, see there.
        needed: whether the app's settings name such a dependency at all.
    """

    name: str
    probe: Callable[[], Awaitable[object]]
    timeout: float = 5.0
    needed: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class StatusField:
    """A field that a workload adds to /status, and what reads its value."""

    name: str
    read: Callable[[], Awaitable[Any]]


class Dependency(LazyModel):
    """What a probe found. Why it failed is in the app's log under `error`: public answers hold no internals."""

    name: str
    status: Literal["up", "down"]
    latency_ms: float = Field(description="Milliseconds the probe took")
    error: str | None = Field(default=None, description="Code of the failure")


class Examiner:
    """Runs the checks at most once in FRESH_SECONDS, however many ask.

    Each has FIRST_SECONDS at the first look, and its own limit from then on.
    """

    def __init__(self) -> None:
        self._least = FIRST_SECONDS
        self._due = 0.0
        self._running: asyncio.Future[list[Dependency]] | None = None

    async def examine(self, checks: Sequence[Check]) -> list[Dependency]:
        """The state of every dependency, in the order of the checks, after at most the longest of their time limits."""
        if self._running is None or (self._running.done() and monotonic() >= self._due):
            self._running = asyncio.ensure_future(self._examine(checks))
        return await asyncio.shield(self._running)

    async def _examine(self, checks: Sequence[Check]) -> list[Dependency]:
        try:
            return await asyncio.gather(*(_probe(check, max(check.timeout, self._least)) for check in checks))
        finally:
            self._least = 0.0
            self._due = monotonic() + FRESH_SECONDS


async def _probe(check: Check, seconds: float) -> Dependency:
    started = perf_counter()
    code = None
    try:
        async with asyncio.timeout(seconds):
            await check.probe()
    except Exception as error:  # noqa: BLE001 - whatever a probe raises means that the dependency is down
        code = error.code if isinstance(error, ManifoldError) else type(error).__name__
        _log.warning("A dependency is down", exc_info=error, extra={"dependency": check.name, "error": code})
    latency = round((perf_counter() - started) * 1000, 1)
    return Dependency(name=check.name, status="down" if code else "up", latency_ms=latency, error=code)
