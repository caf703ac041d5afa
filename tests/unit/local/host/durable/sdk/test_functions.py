import asyncio
from pathlib import Path

import azure.durable_functions as df
import pytest

from local.host.core.clock import SystemClock
from local.host.core.functions import ACTIVITY, ENTITY, ORCHESTRATION, Binding, Function, FunctionTable
from local.host.durable.model.ports import FunctionDisabled, FunctionFailed
from local.host.durable.sdk.functions import DurableFunctionsOfApp
from local.host.worker.dispatch import Dispatcher
from local.host.worker.worker import Worker


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


@pytest.mark.parametrize("kind", ["orchestration", "entity"])
def test_an_async_orchestrator_or_entity_is_told_of_at_the_load(kind, host_logs):
    app = df.DFApp()

    async def asynchronous(context):
        return None

    if kind == "orchestration":
        app.orchestration_trigger(context_name="context")(asynchronous)
    else:
        app.entity_trigger(context_name="context")(asynchronous)
    [declared] = app.get_functions()
    trigger = Binding("context", ORCHESTRATION if kind == "orchestration" else ENTITY, "in", {})
    code = declared.get_user_function()
    function = Function("asynchronous", code, Path(), "", trigger, (trigger,), {}, {}, None, False, False)
    worker = Worker(1)
    functions = DurableFunctionsOfApp(Dispatcher(worker, SystemClock(), timeout=None))
    functions.load(FunctionTable({"asynchronous": function}))
    worker.stop()
    assert "Function 'asynchronous' is an 'async def'" in host_logs.text
    assert "Write 'def'" in host_logs.text


@pytest.mark.parametrize(
    ("kind", "names", "run"),
    [
        (ACTIVITY, "activities", "run_activity"),
        (ENTITY, "entities", "run_entity"),
        (ORCHESTRATION, "orchestrators", "run_orchestrator"),
    ],
)
async def test_a_disabled_function_is_known_and_does_not_run(kind, names, run):
    trigger = Binding("input", kind, "in", {})
    function = Function(
        name="off",
        code=print,
        directory=Path(),
        script_file="",
        trigger=trigger,
        bindings=(trigger,),
        inputs={},
        outputs={},
        returns=None,
        is_async=False,
        needs_context=False,
        disabled=True,
    )
    functions = DurableFunctionsOfApp(Dispatcher(Worker(1), SystemClock(), timeout=None))
    functions.load(FunctionTable({"off": function}))
    assert list(getattr(functions, names)) == ["off"]
    with pytest.raises(FunctionDisabled):
        await getattr(functions, run)("off", "null", "i")
