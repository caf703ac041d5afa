"""Waiting for Azure within a time box, ended by a cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from shared.deploys.platforms.base import StepContext
from shared.platform.calls.arm import BUSY, Answer, ResourceManager
from shared.platform.errors import TransientError


@asynccontextmanager
async def alone(lock: asyncio.Lock, step: StepContext) -> AsyncGenerator[None]:
    """Hold the lock; it is waited for as long as the time box lasts.

    Raises:
        DeploymentCancelled: the deployment was cancelled meanwhile.
        TransientError: the time box ended before (`instance-busy`).
    """
    try:
        async with asyncio.timeout(step.seconds):
            await step.unless_cancelled(lock.acquire())
    except TimeoutError:
        message = "Other sources are being packed on this instance."
        raise TransientError(message, code="instance-busy") from None
    try:
        yield
    finally:
        lock.release()


async def pause(step: StepContext, seconds: float) -> None:
    """Wait so long, unless the deployment is cancelled."""
    await step.check()
    await step.unless_cancelled(asyncio.sleep(seconds))


class Clock:
    """The time of one time box. It runs from when it is made."""

    def __init__(self, step: StepContext) -> None:
        self._ends = asyncio.get_running_loop().time() + step.seconds

    def over(self, ahead: float = 0) -> bool:
        """Whether the time box ends within `ahead` seconds."""
        return asyncio.get_running_loop().time() + ahead >= self._ends


class Waiting:
    """Waits for what Azure does in its own time, polling every `poll_seconds` where Azure does not say when."""

    def __init__(self, azure: ResourceManager, poll_seconds: float) -> None:
        self._azure = azure
        self.poll_seconds = poll_seconds

    async def settle(self, step: StepContext, clock: Clock, answer: Answer | None) -> bool:
        """Wait for the end of a write; False if the time box ends before.

        Raises:
            TerminalError: it failed (`azure-operation-failed`).
        """
        if answer is None or answer.operation is None:
            return True
        while True:
            poll = await step.unless_cancelled(self._azure.poll(answer.operation))
            if poll.done:
                return True
            wait = poll.wait or self.poll_seconds
            if clock.over(wait):
                return False
            await pause(step, wait)

    async def finish(self, step: StepContext, clock: Clock, answer: Answer | None) -> None:
        """As `settle`, for what has no cursor.

        Raises:
            TransientError: the time box ended before; repeated, the step goes on from there.
        """
        if not await self.settle(step, clock, answer):
            raise TransientError("Azure has not done it yet.", code=BUSY)
