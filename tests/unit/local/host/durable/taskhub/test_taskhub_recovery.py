"""What a process that was killed left behind is taken up by the next one, and nothing of it is done twice."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from local.host.core.clock import ManualClock
from local.host.core.database import DatabaseUnusable
from local.host.core.errors import HostStopping
from local.host.durable.extension import DurableExtension
from local.host.durable.management.refusals import NotFound
from local.host.durable.model.options import DurableOptions
from local.host.durable.model.ports import FunctionDisabled
from local.host.durable.sdk.inprocess import InProcessFunctions
from local.host.durable.taskhub.hub import Hub


@pytest.fixture
def app() -> df.DFApp:
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    def act(x):
        return x

    @app.entity_trigger(context_name="context")
    def counter(context):
        value = context.get_state(lambda: 0) + (context.get_input() or 0)
        context.set_state(value)
        context.set_result(value)

    @app.orchestration_trigger(context_name="context")
    def chain(context):
        results = []
        for index in range(3):
            results.append((yield context.call_activity("act", index)))  # noqa: PERF401 - yield stands in no comprehension
        return results

    @app.orchestration_trigger(context_name="context")
    def sleeper(context):
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=2))
        return "woke"

    @app.orchestration_trigger(context_name="context")
    def wait(context):
        return (yield context.wait_for_external_event("go"))

    @app.orchestration_trigger(context_name="context")
    def calls_entity(context):
        return (yield context.call_entity(df.EntityId("counter", "a"), "add", 10))

    @app.orchestration_trigger(context_name="context")
    def twice(context):
        if context.get_input() != "again":
            context.continue_as_new("again")
            return None
        return "second"

    return app


class Stuck(InProcessFunctions):
    """Activities hang until they are let go; counts what was asked to run."""

    def __init__(self, functions: Any) -> None:
        super().__init__(functions)
        self.gate = asyncio.Event()
        self.started: list[str] = []

    async def run_activity(self, name: str, payload: str, instance_id: str) -> str | None:
        self.started.append(payload)
        await self.gate.wait()
        return await super().run_activity(name, payload, instance_id)


async def test_an_activity_under_way_runs_again_and_what_was_done_does_not(lab: Any, app: df.DFApp) -> None:
    functions = Stuck(app.get_functions())
    one = await lab(functions)
    instance_id = one.start("chain")
    await one.rest()
    assert functions.started == ["0"]
    await one.kill()
    resumed = await one.reopen()
    assert (resumed.orchestrations, resumed.activities, resumed.timers, resumed.entities) == (1, 1, 0, 0)
    await one.rest()
    assert functions.started == ["0", "0"]
    functions.gate.set()
    assert json.loads((await one.until(instance_id)).output) == [0, 1, 2]
    assert functions.started == ["0", "0", "1", "2"]
    assert one.kinds(instance_id).count(5) == 3


async def test_a_timer_that_came_due_while_nothing_ran_fires_at_the_start(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    instance_id = one.start("sleeper")
    await one.rest()
    await one.kill()
    one.clock.advance(3 * 3600)
    resumed = await one.reopen()
    assert resumed.timers == 1
    assert (await one.until(instance_id)).output == '"woke"'
    assert one.kinds(instance_id).count(11) == 1


async def test_a_timer_never_fires_early(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    instance_id = one.start("sleeper")
    await one.rest()
    one.clock.advance(2 * 3600 - 1)
    await one.rest()
    assert one.operations.status(instance_id).status == "Running"
    one.clock.advance(1)
    await one.rest()
    assert one.operations.status(instance_id).status == "Completed"


async def test_an_event_that_was_accepted_is_not_lost(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    instance_id = one.start("wait")
    await one.rest()
    one.event(instance_id, "go", "kept")
    await one.kill()
    await one.reopen()
    assert (await one.until(instance_id)).output == '"kept"'


async def test_a_continuation_that_did_not_run_yet_goes_on(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    run = one.functions.run_orchestrator

    async def dies_in_the_second(name: str, context: str, instance_id: str) -> str:
        if '"input":"\\"again\\""' in context:
            raise HostStopping
        return await run(name, context, instance_id)

    one.functions.run_orchestrator = dies_in_the_second
    instance_id = one.start("twice")
    await one.rest()
    assert one.operations.status(instance_id).fresh
    await one.kill()
    one.functions.run_orchestrator = run
    await one.reopen()
    assert (await one.until(instance_id)).output == '"second"'


async def test_operations_of_an_entity_are_applied_once(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    run = one.functions.run_entity
    died: list[str] = []

    async def dies_first(name: str, context: str, instance_id: str) -> str:
        answer = await run(name, context, instance_id)
        if not died:
            died.append(answer)
            raise HostStopping
        return answer

    one.functions.run_entity = dies_first
    for _ in range(4):
        one.operations.signal_entity("counter", "k", "add", json.dumps("1"))
    await one.rest()
    await one.kill()
    resumed = await one.reopen()
    assert resumed.entities == 1
    await one.rest()
    assert one.operations.entity_state("counter", "k") == "4"


async def test_an_aborted_turn_is_tried_again(lab: Any, app: df.DFApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.host.durable.taskhub.instances.RETRY_SECONDS", 0.01)
    one = await lab(app)
    run, aborts = one.functions.run_orchestrator, [1, 1]

    async def aborts_twice(name: str, context: str, instance_id: str) -> str:
        if aborts:
            aborts.pop()
            raise HostStopping
        return await run(name, context, instance_id)

    one.functions.run_orchestrator = aborts_twice
    assert await one.output("chain") == [0, 1, 2]


async def test_an_activity_that_the_host_could_not_run_is_tried_again(
    lab: Any, app: df.DFApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.host.durable.taskhub.instances.RETRY_SECONDS", 0.01)
    one = await lab(app)
    run, answers = one.functions.run_activity, ["no JSON"]

    async def first_nonsense(name: str, payload: str, instance_id: str) -> str | None:
        return answers.pop() if answers else await run(name, payload, instance_id)

    one.functions.run_activity = first_nonsense
    assert await one.output("chain") == [0, 1, 2]
    assert not answers


async def test_a_disabled_activity_waits_says_so_and_runs_at_a_start_with_it_enabled(lab: Any, app: df.DFApp) -> None:
    functions = InProcessFunctions(app.get_functions())
    run = functions.run_activity

    async def disabled(name: str, payload: str, instance_id: str) -> str | None:
        raise FunctionDisabled(name)

    functions.run_activity = disabled
    one = await lab(functions)
    instance_id = one.start("chain")
    await one.rest()
    assert one.extension.idle
    assert one.operations.status(instance_id).status == "Running"
    assert ["The activity 'act' is disabled" in note for note in one.extension.diagnosis(instance_id)] == [True]
    await one.kill()
    functions.run_activity = run
    assert (await one.reopen()).activities == 1
    assert json.loads((await one.until(instance_id)).output) == [0, 1, 2]


async def test_operations_of_a_disabled_entity_wait_for_a_start_with_it_enabled(lab: Any, app: df.DFApp) -> None:
    functions = InProcessFunctions(app.get_functions())
    run, tried = functions.run_entity, list[str]()

    async def disabled(name: str, context: str, instance_id: str) -> str:
        tried.append(instance_id)
        raise FunctionDisabled(name)

    functions.run_entity = disabled
    one = await lab(functions)
    instance_id = one.start("calls_entity")
    one.operations.signal_entity("counter", "a", "add", json.dumps("1"))
    await one.rest()
    one.operations.signal_entity("counter", "a", "add", json.dumps("2"))
    await one.rest()
    assert one.extension.idle
    assert 1 <= len(tried) <= 3
    assert one.operations.status(instance_id).status == "Running"
    assert ["The entity 'counter' is disabled" in note for note in one.extension.diagnosis(instance_id)] == [True]
    with pytest.raises(NotFound):
        one.operations.entity_state("counter", "a")
    await one.kill()
    functions.run_entity = run
    assert (await one.reopen()).entities == 1
    assert json.loads((await one.until(instance_id)).output) is not None
    await one.rest()
    assert one.operations.entity_state("counter", "a") == "13"


async def test_a_disabled_orchestrator_fails_in_the_extensions_words(lab: Any, app: df.DFApp) -> None:
    functions = InProcessFunctions(app.get_functions())
    run = functions.run_orchestrator

    async def disabled(name: str, context: str, instance_id: str) -> str:
        if name == "chain":
            raise FunctionDisabled(name)
        return await run(name, context, instance_id)

    functions.run_orchestrator = disabled
    one = await lab(functions)
    found = await one.until(one.start("chain"))
    assert found.status == "Failed"
    assert found.output.startswith(
        "Orchestrator function 'chain' failed: The function 'chain' doesn't exist, is disabled"
    )


async def test_a_graceful_stop_leaves_nothing_half_done(lab: Any, app: df.DFApp) -> None:
    functions = Stuck(app.get_functions())
    one = await lab(functions)
    instance_id = one.start("chain")
    await one.rest()
    functions.gate.set()
    await one.extension.stop()
    await one.reopen()
    assert json.loads((await one.until(instance_id)).output) == [0, 1, 2]
    assert functions.started[:1] == ["0"]
    assert functions.started.count("0") == 1, "the activity that could end in the grace time is not run again"


async def test_a_hub_is_for_one_process(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    with pytest.raises(DatabaseUnusable, match=r"hub\.db is used by another process"):
        DurableExtension(one.functions, one.options, one.folder / "hub.db", ManualClock())


def test_a_hub_of_another_format_is_refused_with_the_remedy(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub.db")
    hub._db.execute("PRAGMA user_version=99")
    hub.close()
    with pytest.raises(DatabaseUnusable, match=r"another version \(format 99, this is 1\)\. Move it away"):
        Hub(tmp_path / "hub.db")


def test_a_transaction_that_fails_changes_nothing(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub.db")

    def append_and_fail() -> None:
        with hub.transaction():
            hub.append_history("i", 0, ["{}"])
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        append_and_fail()
    assert hub.history("i") == []
    hub.close()


def test_options_name_the_setting_and_the_value() -> None:
    with pytest.raises(ValueError, match=r"durableTask\.maxConcurrentActivityFunctions: .* \(got 0\)"):
        DurableOptions.parse({"maxConcurrentActivityFunctions": 0})
    with pytest.raises(ValueError, match=r"durableTask\.versionMatchStrategy"):
        DurableOptions.parse({"versionMatchStrategy": "Newest"})
    assert DurableOptions.parse({"HubName": "MyHub", "tracing": {}}).hub_name == "MyHub"
