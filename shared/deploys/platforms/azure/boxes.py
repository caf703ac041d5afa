"""Waiting inside a time box: whoever waits looks twice a second whether to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from shared.deploys.platforms.base import Box
from shared.platform.arm import BUSY, Answer, ResourceManager
from shared.platform.errors import TransientError

T = TypeVar("T")

LOOK_SECONDS = 0.5


async def watched(box: Box, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives; it is cancelled when those at work shall stop.

    Raises:
        DeploymentCancelled: they shall.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=LOOK_SECONDS))[0]:
            await box.check()
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])


async def pause(box: Box, seconds: float) -> None:
    """Wait so long, and no longer than those at work may go on."""
    await box.check()
    await watched(box, asyncio.sleep(seconds))


class Clock:
    """The time of one box. It runs from when it is made."""

    def __init__(self, box: Box) -> None:
        self._ends = asyncio.get_running_loop().time() + box.seconds

    def over(self, ahead: float = 0) -> bool:
        """Whether the box ends within `ahead` seconds."""
        return asyncio.get_running_loop().time() + ahead >= self._ends


class Waiting:
    """Waits for what Azure does in its own time, asking every `poll_seconds` where Azure does not say when."""

    def __init__(self, azure: ResourceManager, poll_seconds: float) -> None:
        self._azure = azure
        self.poll_seconds = poll_seconds

    async def settle(self, box: Box, clock: Clock, answer: Answer | None) -> bool:
        """Wait for the end of a write; False if the box ends before.

        Raises:
            TerminalError: it failed (`azure-operation-failed`).
        """
        if answer is None or answer.operation is None:
            return True
        while True:
            poll = await watched(box, self._azure.poll(answer.operation))
            if poll.done:
                return True
            wait = poll.wait or self.poll_seconds
            if clock.over(wait):
                return False
            await pause(box, wait)

    async def finish(self, box: Box, clock: Clock, answer: Answer | None) -> None:
        """As `settle`, for what has no cursor.

        Raises:
            TransientError: the box ended before; repeated, the step goes on from there.
        """
        if not await self.settle(box, clock, answer):
            raise TransientError("Azure has not done it yet.", code=BUSY)
