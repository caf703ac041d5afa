"""A queue that runs at most so many items at once, on the loop, without polling."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class WorkQueue(Generic[Item]):
    """Items run in order of arrival, `limit` at a time; `run` must not raise."""

    def __init__(self, limit: int, run: Callable[[Item], Awaitable[None]]) -> None:
        self._limit = limit
        self._run = run
        self._waiting: deque[Item] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._stopped = False

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not self._waiting and not self._running

    def put(self, item: Item) -> None:
        """Run the item as soon as there is room."""
        self._waiting.append(item)
        self._pump()

    def _pump(self) -> None:
        while self._waiting and len(self._running) < self._limit and not self._stopped:
            worker = asyncio.get_running_loop().create_task(self._work(self._waiting.popleft()))
            self._running.add(worker)
            worker.add_done_callback(self._ended)

    async def _work(self, item: Item) -> None:
        await self._run(item)
        while self._waiting and not self._stopped:
            await self._run(self._waiting.popleft())

    def _ended(self, worker: asyncio.Task[None]) -> None:
        self._running.discard(worker)
        self._pump()  # what was put between the worker's last look and its end

    async def stop(self, grace_seconds: float) -> None:
        """Start nothing more; cancel what does not end within the grace time."""
        self._stopped = True
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=grace_seconds)
        for worker in late:
            worker.cancel()
        if late:
            await asyncio.wait(late, timeout=grace_seconds)
