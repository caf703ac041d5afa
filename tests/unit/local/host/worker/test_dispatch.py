import asyncio
import inspect
import io
import pdb  # noqa: T100 - what stands still here
import threading
from pathlib import Path

import pytest
from azure.functions import meta

from local.host.core.clock import ManualClock, SystemClock
from local.host.core.errors import HostStopping
from local.host.core.functions import Binding, Function, Parameter, RetryPolicy
from local.host.core.logs import host_log
from local.host.worker import dispatch, watchdog
from local.host.worker.calls import Call
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import FunctionRaised, FunctionTimedOut
from local.host.worker.worker import Worker


@pytest.fixture
def worker():
    made = Worker(2)
    yield made
    made.stop()


def function(code, *bindings, retry=None, returns=None):
    trigger = Binding("value", "generic", "in", {})
    return Function(
        name="f",
        code=code,
        directory=Path(),
        script_file="",
        trigger=trigger,
        bindings=(trigger, *bindings),
        inputs={"value": Parameter("generic", None)},
        outputs={},
        returns=returns,
        is_async=inspect.iscoroutinefunction(code),
        needs_context=False,
        retry=retry,
    )


def call(text="x"):
    return Call("test", meta.Datum(text, "string"), {}, {})


async def test_an_output_is_delivered_only_after_success(worker):
    delivered = []

    class Output:
        async def write(self, function, binding, value, call):
            delivered.append(value.value)

    async def fails(value):
        raise ValueError

    async def works(value):
        return "result"

    dispatcher = Dispatcher(worker, SystemClock(), timeout=None)
    dispatcher.outputs["generic"] = Output()
    binding, returns = Binding("$return", "generic", "out", {}), Parameter("generic", None)
    with pytest.raises(FunctionRaised):
        await dispatcher.run(function(fails, binding, returns=returns), call())
    assert delivered == []
    await dispatcher.run(function(works, binding, returns=returns), call())
    assert delivered == ["result"]


async def test_a_failing_output_fails_the_run(worker):
    class Output:
        async def write(self, function, binding, value, call):
            raise OSError("the queue is gone")

    async def works(value):
        return "result"

    dispatcher = Dispatcher(worker, SystemClock(), timeout=None)
    dispatcher.outputs["generic"] = Output()
    run = dispatcher.run(
        function(works, Binding("$return", "generic", "out", {}), returns=Parameter("generic", None)), call()
    )
    with pytest.raises(FunctionRaised, match="OSError: the queue is gone"):
        await run
    assert dispatcher.recent[0].outcome == "Failed"


async def test_stopping_waits_for_the_grace_time_and_then_aborts(worker):
    begun = asyncio.Event()

    async def hangs(value):
        begun.set()
        await asyncio.Event().wait()

    dispatcher = Dispatcher(worker, SystemClock(), timeout=None)
    run = asyncio.create_task(dispatcher.run(function(hangs), call()))
    await begun.wait()
    assert await dispatcher.drain(0.01) == 1
    with pytest.raises(HostStopping):
        await run
    with pytest.raises(HostStopping):
        await dispatcher.run(function(hangs), call())
    assert dispatcher.running == 0


async def test_a_hanging_thread_costs_the_pool_no_place(worker):
    release = threading.Event()
    dispatcher = Dispatcher(Worker(1), SystemClock(), timeout=0.05)
    with pytest.raises(FunctionTimedOut):
        await dispatcher.run(function(lambda value: release.wait()), call())
    await dispatcher.run(function(lambda value: None), call())
    release.set()


async def test_no_limit_of_time_holds_for_who_stands_in_a_breakpoint(worker, monkeypatch, host_logs):
    monkeypatch.setattr(watchdog, "_stood", threading.Event())
    dispatcher = Dispatcher(worker, SystemClock(), timeout=0.05)
    fired = asyncio.Event()
    monkeypatch.setattr(dispatch, "_expire", lambda limit, expire=dispatch._expire: (expire(limit), fired.set()))
    go_on = threading.Event()

    class Developer(io.StringIO):
        def readline(self, size=-1, /):
            go_on.wait(20)
            return "continue\n"

    def stands(value):
        pdb.Pdb(stdin=Developer(), stdout=io.StringIO(), nosigint=True, readrc=False).set_trace()

    run = asyncio.create_task(dispatcher.run(function(stands), call()))
    await fired.wait()
    go_on.set()
    await run
    assert "functionTimeout ends no run any more: there is a debugger." in host_logs.text


async def test_that_a_library_loads_pdb_lifts_no_limit(worker):
    async def hangs(value):
        await asyncio.Event().wait()

    with pytest.raises(FunctionTimedOut):
        await Dispatcher(worker, SystemClock(), timeout=0.01).run(function(hangs), call())


async def test_a_timeout_of_the_functions_own_is_its_own(worker):
    async def gives_up(value):
        raise TimeoutError

    with pytest.raises(FunctionRaised):
        await Dispatcher(worker, SystemClock(), timeout=10).run(function(gives_up), call())


async def test_no_log_shows_credentials(worker, host_logs):
    async def tells(value):
        raise ValueError("cannot connect: Password=hunter2;Timeout=5")

    dispatcher = Dispatcher(worker, SystemClock(), timeout=None)
    with pytest.raises(FunctionRaised):
        await dispatcher.run(function(tells), call())
    assert "ValueError: cannot connect: [Hidden Credential]" in host_logs.text
    assert dispatcher.recent[0].error == "ValueError: cannot connect: [Hidden Credential]"
    assert "hunter2" not in host_logs.text


async def test_the_instance_is_named_from_the_start_of_a_run(worker, host_logs, monkeypatch):
    async def works(value):
        return None

    monkeypatch.setattr(host_log, "isEnabledFor", lambda level: True)
    run = Call("(null)", meta.Datum("x", "string"), instance_id="order-7")
    await Dispatcher(worker, SystemClock(), timeout=None).run(function(works), run)
    (line,) = [one for one in host_logs.messages if one.startswith("Executing")]
    assert line.endswith(", InstanceId=order-7)")


async def test_retries_wait_by_the_clock(worker):
    clock, seen = ManualClock(), []

    async def fails_once(value):
        seen.append(clock.now())
        if len(seen) < 2:
            raise ValueError

    dispatcher = Dispatcher(worker, clock, timeout=None)
    run = asyncio.create_task(dispatcher.run(function(fails_once, retry=RetryPolicy(1, fixed_delay=60)), call()))
    while clock.next_wake() is None:  # noqa: ASYNC110 - the clock has no event for it
        await asyncio.sleep(0)
    clock.advance(60)
    await run
    assert (seen[1] - seen[0]).total_seconds() == 60


async def test_retries_for_ever(worker):
    seen = []

    async def fails_often(value):
        seen.append(1)
        if len(seen) < 20:
            raise ValueError

    dispatcher = Dispatcher(worker, SystemClock(), timeout=None)
    await dispatcher.run(function(fails_often, retry=RetryPolicy(-1, fixed_delay=0)), call())
    assert len(seen) == 20
