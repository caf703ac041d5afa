"""Long waits of a step end within a second of the deployment's cancel."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from shared.deploys.models import CANCEL_CODE
from shared.platform.errors import TerminalError

T = TypeVar("T")
Cancelled = Callable[[], Awaitable[bool]]

CHECK_SECONDS: Final = 0.25


class DeploymentCancelled(TerminalError):
    """The running steps saw a cancel or a timeout, and ended."""

    code = CANCEL_CODE

    def __init__(self, message: str = "The deployment was cancelled.") -> None:
        super().__init__(message)


async def unless_cancelled(work: Coroutine[Any, Any, T], cancelled: Cancelled) -> T:
    """The result of the work. It is cancelled and awaited when `cancelled` says so, or when the caller is cancelled.

    Raises:
        DeploymentCancelled: `cancelled` said so.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=CHECK_SECONDS))[0]:
            if await cancelled():
                raise DeploymentCancelled
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])


async def in_thread(work: Callable[[Callable[[], bool]], T], *, wake: Callable[[], None] | None = None) -> T:
    """The result of blocking work in a thread, which is passed a check for the cancel, and is always awaited.

    `wake`, called at the cancel, ends what the thread waits for.
    """
    cancelled = threading.Event()
    task = asyncio.ensure_future(asyncio.to_thread(work, cancelled.is_set))
    try:
        return await asyncio.shield(task)
    finally:
        cancelled.set()
        if not task.done():
            if wake:
                wake()
            await asyncio.wait([task])
