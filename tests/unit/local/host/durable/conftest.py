"""The backend over small apps in this process, on a clock that a test moves."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from local.host.core.clock import ManualClock
from local.host.durable.extension import DurableExtension
from local.host.durable.model.options import DurableOptions
from local.host.durable.model.ports import Resumed
from local.host.durable.model.records import Instance
from local.host.durable.sdk.inprocess import InProcessFunctions

RESTED_ROUNDS = 25


class Lab:
    """One app on one task hub, which can be killed and started again."""

    def __init__(self, folder: Path, functions: Any, clock: ManualClock, options: DurableOptions) -> None:
        self.folder = folder
        self.functions = functions
        self.clock = clock
        self.options = options
        self.resumed: Resumed | None = None

    async def open(self) -> "Lab":
        self.extension = DurableExtension(self.functions, self.options, self.folder / "hub.db", self.clock)
        self.operations = self.extension.operations
        self.resumed = await self.extension.start()
        return self

    async def kill(self) -> None:
        """Leave the file as a killed process leaves it: what is not committed is gone, nothing is finished."""
        dispatcher = self.extension._dispatcher
        dispatcher._stopping = True
        dispatcher._completed.clear()
        dispatcher._timers.stop()
        await asyncio.gather(*(one.stop(0) for one in (dispatcher._activities, dispatcher._turns, dispatcher._batches)))
        self.extension._hub.close()

    async def reopen(self, functions: Any = None, options: DurableOptions | None = None) -> Resumed:
        """Start again over the same file, as a new process would."""
        self.functions = functions or self.functions
        self.options = options or self.options
        await self.open()
        assert self.resumed is not None
        return self.resumed

    def start(self, name: str, value: Any = None, instance_id: str | None = None, version: str | None = None) -> str:
        """As the SDK's client starts: its input is JSON text inside JSON."""
        text = None if value is None else json.dumps(json.dumps(value))
        return self.operations.start(name, text, instance_id, version)

    def event(self, instance_id: str, name: str, value: Any = None) -> None:
        self.operations.raise_event(instance_id, name, json.dumps(value))

    async def rest(self) -> None:
        """Let everything happen that can without time passing."""
        for _ in range(RESTED_ROUNDS):
            await asyncio.sleep(0.001)

    async def until(self, instance_id: str, *statuses: str, seconds: float = 300) -> Instance:
        """Wait until the instance has one of the statuses (or has ended), moving the clock when nothing else moves."""
        wanted = statuses or ("Completed", "Failed", "Terminated")
        limit = self.clock.now().timestamp() + seconds
        for _ in range(400):
            found = self.operations.status(instance_id)
            if found.status in wanted:
                return found
            await asyncio.sleep(0.001)
            if _ % 15 == 14 and (wake := self.clock.next_wake()) is not None and wake.timestamp() <= limit:
                self.clock.move_to(max(wake, self.clock.now()))
        raise AssertionError(f"{instance_id} is still {self.operations.status(instance_id)}")

    async def output(self, name: str, value: Any = None, **more: Any) -> Any:
        """Run an orchestration to its end; its output. Fails unless it completes."""
        found = await self.until(self.start(name, value, **more))
        assert found.status == "Completed", found.output
        return None if found.output is None else json.loads(found.output)

    def kinds(self, instance_id: str) -> list[int]:
        return [event["EventType"] for event in self.operations.history(self.operations.status(instance_id))]


OpenLab = Callable[..., Any]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[OpenLab]:
    """Opens the backend over an app: `one = await lab(app, hubName="x", maxConcurrentActivityFunctions=2)`."""
    opened: list[Lab] = []

    async def open_lab(app: df.DFApp | InProcessFunctions | Any, **options: Any) -> Lab:
        functions = InProcessFunctions(app.get_functions()) if isinstance(app, df.DFApp) else app
        parsed = DurableOptions.parse({"hubName": "unit", **options})
        one = Lab(tmp_path, functions, ManualClock(), parsed)
        opened.append(one)
        return await one.open()

    yield open_lab
    for one in opened:
        if not one.extension._dispatcher._stopping:
            await one.extension.stop()
