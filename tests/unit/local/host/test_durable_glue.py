import asyncio
from pathlib import Path

import pytest

from local.host.clock import SystemClock
from local.host.dispatch import Dispatcher
from local.host.durable.ports import FunctionFailed
from local.host.durable_glue import DurableFunctionsOfApp
from local.host.functions import ACTIVITY, Binding, Function, FunctionTable
from local.host.worker import Worker


async def test_an_activity_over_its_time_limit_fails_for_its_orchestration():
    async def never_ends():
        await asyncio.Event().wait()

    trigger = Binding("input", ACTIVITY, "in", {})
    function = Function(
        name="slow",
        code=never_ends,
        directory=Path(),
        script_file="",
        trigger=trigger,
        bindings=(trigger,),
        inputs={},
        outputs={},
        returns=None,
        is_async=True,
        needs_context=False,
    )
    worker = Worker(1)
    functions = DurableFunctionsOfApp(Dispatcher(worker, SystemClock(), timeout=0.01))
    functions.load(FunctionTable({"slow": function}))
    with pytest.raises(FunctionFailed, match=r"was exceeded by function: Functions\.slow"):
        await functions.run_activity("SLOW", "null", "instance")
    worker.stop()
