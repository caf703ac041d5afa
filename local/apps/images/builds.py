"""A build: the commands of its recipe one after another, on a fresh copy of the source and within limits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from time import monotonic
from typing import Any, TypeVar

from local.apps.commands.logs import LogFile
from local.apps.commands.masking import Mask
from local.apps.commands.process import Command, Ended, Process, ProcessLimits
from local.apps.orders import BuildOrder
from local.apps.plans import NotBuildable, plan_of
from local.apps.workspaces import Workspace

_T = TypeVar("_T")


class Build:
    """One build, from `start` until it has ended or is cancelled."""

    def __init__(
        self, workspace: Workspace, order: BuildOrder, uid: int | None, environment: Mapping[str, str]
    ) -> None:
        self._workspace = workspace
        self._order = order
        self._uid = uid
        self._environment = environment
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, ended: Callable[[str | None], None]) -> None:
        """Begin. `ended` is called with why the build failed, or None if it did not; never after `cancel`."""

        async def run() -> None:
            ended(await self._run())

        self._task = asyncio.create_task(run())

    async def wait(self, seconds: float) -> None:
        """Wait for the end, for that long at most."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)

    async def cancel(self) -> None:
        """End it and all that it started."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._process is not None:
            await self._process.stop()

    async def _run(self) -> str | None:
        self._workspace.build_log.unlink(missing_ok=True)
        log = LogFile(self._workspace.build_log, Mask(self._order.secrets), rotate=False)
        try:
            await _whole(asyncio.to_thread(self._workspace.new_image, self._uid))
            try:
                plan = plan_of(self._workspace.source)
            except NotBuildable as refusal:
                return str(refusal)
            deadline = monotonic() + self._order.seconds
            for words in plan.build:
                log.begin(f"$ {' '.join(words)}")
                ended = await self._step(words, log, max(deadline - monotonic(), 0.1))
                if ended.code or ended.reason:
                    cause = f" Its log says: {log.cause}" if log.cause and not log.cause.startswith("$ ") else ""
                    return f"{words[0]}: {ended.words}.{cause}"[:1_000]
        except OSError as error:
            return f"the platform could not build: {error.strerror}"
        finally:
            log.close()
        return None

    async def _step(self, words: tuple[str, ...], log: LogFile, seconds: float) -> Ended:
        limits = ProcessLimits(memory=self._order.memory, seconds=seconds, cores=self._order.cores)
        command = Command(
            words=words,
            folder=self._workspace.image,
            disk_of=self._workspace.root,
            environment=self._environment,
            limits=limits,
            uid=self._uid,
            nice=5,
        )
        process = await _whole(self._launch(command, log))
        return await process.wait()

    async def _launch(self, command: Command, log: LogFile) -> Process:
        self._process = await Process.start(command, log)
        return self._process


async def _whole(work: Coroutine[Any, Any, _T]) -> _T:
    """Await what must not be left half done: a cancel takes effect when it has ended."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
