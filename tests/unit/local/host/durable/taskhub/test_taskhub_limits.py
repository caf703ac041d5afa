"""Concurrency limits of host.json, and the queue that holds them."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import uvloop

from local.host.core.clock import SystemClock
from local.host.durable.extension import DurableExtension
from local.host.durable.model.options import DurableOptions
from local.host.durable.sdk.inprocess import InProcessFunctions
from local.host.durable.taskhub.work import WorkQueue


class Counting(InProcessFunctions):
    """Notes how many activities ran at the same time."""

    def __init__(self, functions: Any) -> None:
        super().__init__(functions)
        self.running = 0
        self.most = 0

    async def run_activity(self, name: str, payload: str, instance_id: str) -> str | None:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.002)
        self.running -= 1
        return await super().run_activity(name, payload, instance_id)


async def test_no_more_activities_at_once_than_allowed(lab: Any) -> None:
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    def act(x):
        return x

    @app.orchestration_trigger(context_name="context")
    def fan(context):
        return sum((yield context.task_all([context.call_activity("act", i) for i in range(20)])))

    functions = Counting(app.get_functions())
    one = await lab(functions, maxConcurrentActivityFunctions=3)
    assert await one.output("fan") == 190
    assert functions.most == 3


async def test_a_queue_runs_what_is_put_while_its_workers_end() -> None:
    done: list[int] = []

    async def run(item: int) -> None:
        await asyncio.sleep(0)
        done.append(item)

    queue: WorkQueue[int] = WorkQueue(1, run)
    for item in range(50):
        queue.put(item)
        for _ in range(item % 5):
            await asyncio.sleep(0)
    for _ in range(200):
        await asyncio.sleep(0)
    assert done == list(range(50))


async def test_a_stopped_queue_starts_nothing_more() -> None:
    done: list[int] = []

    async def run(item: int) -> None:
        await asyncio.sleep(0.01)
        done.append(item)

    queue: WorkQueue[int] = WorkQueue(1, run)
    queue.put(1)
    queue.put(2)
    await asyncio.sleep(0)
    await queue.stop(1)
    assert done == [1]


def test_nothing_goes_wrong_on_uvicorns_loop(tmp_path: Path) -> None:
    """uvicorn runs on uvloop, whose handles and tasks differ from asyncio's in what they offer."""
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    def act(x):
        return x

    @app.orchestration_trigger(context_name="context")
    def both(context):
        wide = yield context.task_all([context.call_activity("act", i) for i in range(50)])
        yield context.create_timer(context.current_utc_datetime)
        return sum(wide) + (yield context.call_activity("act", 1))

    faults: list[dict[str, Any]] = []

    async def run() -> str | None:
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        functions = InProcessFunctions(app.get_functions())
        extension = DurableExtension(functions, DurableOptions(), tmp_path / "hub.db", SystemClock())
        await extension.start()
        instance_id = extension.operations.start("both", None)
        await extension.wait_finished(instance_id, 20)
        output = extension.operations.status(instance_id).output
        await extension.stop()
        return output

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(run()) == "1226"
        gc.collect()
    assert faults == []
