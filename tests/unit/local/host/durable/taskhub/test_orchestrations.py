"""The rules by which Microsoft's extension plays orchestrations, with real SDK orchestrators."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from local.host.durable.management.refusals import AlreadyExists, Finished, NotFound, WrongState
from local.host.durable.taskhub import orchestrations


@pytest.fixture
def app() -> df.DFApp:
    app = df.DFApp()
    calls: dict[str, int] = {}

    @app.activity_trigger(input_name="x")
    def act(x):
        return x

    @app.activity_trigger(input_name="k")
    def failing(k: list):
        calls[k[0]] = calls.get(k[0], 0) + 1
        if calls[k[0]] <= k[1]:
            raise RuntimeError(f"fail {calls[k[0]]}")
        return calls[k[0]]

    @app.orchestration_trigger(context_name="context")
    def wait(context):
        return (yield context.wait_for_external_event("go"))

    @app.orchestration_trigger(context_name="context")
    def echo(context):
        return (yield context.call_activity("act", context.get_input()))

    @app.orchestration_trigger(context_name="context")
    def fan(context):
        return sum((yield context.task_all([context.call_activity("act", i) for i in range(context.get_input())])))

    @app.orchestration_trigger(context_name="context")
    def child_of(context):
        name, child_id = context.get_input()
        try:
            return (yield context.call_sub_orchestrator(name, "from parent", child_id))
        except Exception as error:
            return ["error", str(error)]

    return app


async def test_a_fan_out_takes_two_turns(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    turns: list[str] = []
    run = one.functions.run_orchestrator

    async def counted(name: str, context: str, instance_id: str) -> str:
        turns.append(name)
        return await run(name, context, instance_id)

    one.functions.run_orchestrator = counted
    assert await one.output("fan", 200) == 19900
    assert len(turns) == 2


async def test_a_call_of_an_unknown_activity_waits_for_ever_and_says_so(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def calls_unknown(context):
        yield context.task_all([context.call_activity("nobody", 1), context.call_activity("act", 2)])

    one = await lab(app)
    instance_id = one.start("calls_unknown")
    await one.rest()
    assert one.operations.status(instance_id).status == "Running"
    [note] = one.extension.diagnosis(instance_id)
    assert "'nobody'" in note
    assert "'act'" in note
    assert "waits for ever, here as in Azure" in note
    assert "terminate this instance" in note


async def test_the_newest_waiter_gets_the_event(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def waits_twice(context):
        older = context.wait_for_external_event("e")
        newer = context.wait_for_external_event("e")
        first = yield context.task_any([older, newer])
        return ["newer" if first == newer else "older", first.result]

    one = await lab(app)
    instance_id = one.start("waits_twice")
    await one.rest()
    one.event(instance_id, "e", 1)
    assert json.loads((await one.until(instance_id)).output) == ["newer", 1]


async def test_an_event_in_another_spelling_never_wakes_and_says_so(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    instance_id = one.start("wait")
    await one.rest()
    one.event(instance_id, "GO", 1)
    await one.rest()
    assert one.operations.status(instance_id).status == "Running"
    assert "'GO'" in one.extension.diagnosis(instance_id)[0]
    assert "'go'" in one.extension.diagnosis(instance_id)[0]


async def test_continue_as_new_loses_unawaited_events_and_says_so(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def again(context):
        if context.get_input() is None:
            yield context.wait_for_external_event("next")
            context.continue_as_new("second")
            return None
        other = context.wait_for_external_event("other")
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=2))
        if (yield context.task_any([other, timer])) == timer:
            return "lost"
        timer.cancel()
        return other.result

    one = await lab(app)
    instance_id = one.start("again")
    await one.rest()
    one.event(instance_id, "other", "early")
    await one.rest()
    one.event(instance_id, "next")
    assert json.loads((await one.until(instance_id)).output) == "lost"
    assert "'other'" in one.extension.diagnosis(instance_id)[0]


async def test_events_after_the_continuation_in_the_same_batch_are_carried_over(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def collects(context):
        seen = context.get_input() or []
        seen = [*seen, (yield context.wait_for_external_event("tick"))]
        if len(seen) < 3:
            context.continue_as_new(seen)
            return None
        return seen

    one = await lab(app)
    instance_id = one.start("collects")
    await one.rest()
    for number in range(3):
        one.event(instance_id, "tick", number)
    found = await one.until(instance_id)
    assert json.loads(found.output) == [0, 1, 2]
    assert found.generation is None
    assert one.kinds(instance_id).count(0) == 1, "only the last execution's history is kept"


async def test_a_running_instance_of_the_childs_id_is_overwritten_and_said(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    one.start("wait", instance_id="taken")
    await one.rest()
    parent = one.start("child_of", ["echo", "taken"])
    assert json.loads((await one.until(parent)).output) == "from parent"
    assert one.operations.status("taken").name == "echo"
    assert "'wait' was running under that id" in one.extension.diagnosis(parent)[0]


async def test_a_finished_instance_of_the_childs_id_is_reused_without_a_word(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    await one.output("echo", 1, instance_id="done")
    parent = one.start("child_of", ["echo", "done"])
    assert json.loads((await one.until(parent)).output) == "from parent"
    assert one.extension.diagnosis(parent) == []


async def test_a_child_with_its_parents_own_id_is_refused_in_silence(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    one.start("child_of", ["echo", "self"], instance_id="self")
    await one.rest()
    assert one.operations.status("self").status == "Running"
    assert "must be different than the instance ID of a parent" in one.extension.diagnosis("self")[0]


async def test_terminating_a_parent_leaves_its_child_and_drops_its_result(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    parent = one.start("child_of", ["wait", "kid"])
    await one.rest()
    one.operations.terminate(parent, "enough")
    await one.until(parent, "Terminated")
    one.event("kid", "go", 1)
    await one.until("kid", "Completed")
    await one.rest()
    found = one.operations.status(parent)
    assert (found.status, found.output) == ("Terminated", "enough")


async def test_a_terminated_child_fails_its_parents_call(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    parent = one.start("child_of", ["wait", "kid"])
    await one.rest()
    one.operations.terminate("kid", "enough")
    assert json.loads((await one.until(parent)).output) == ["error", "enough \n None"]


async def test_an_orchestration_stays_running_while_a_timer_is_out_and_says_so(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def leaves_timer(context):
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=15))
        winner = yield context.task_any([context.call_activity("act", 1), timer])
        return winner != timer

    one = await lab(app)
    instance_id = one.start("leaves_timer")
    await one.rest()
    found = one.operations.status(instance_id)
    assert (found.status, found.output) == ("Running", None)
    assert "Cancel the losing timer" in one.extension.diagnosis(instance_id)[0]
    began = one.clock.now()
    assert (await one.until(instance_id)).output == "true"
    assert one.clock.now() - began >= timedelta(seconds=14.9)


async def test_a_removed_call_is_found_non_deterministic(lab: Any, app: df.DFApp) -> None:
    runs: list[int] = []

    @app.orchestration_trigger(context_name="context")
    def changes(context):
        runs.append(1)
        if len(runs) > 1:
            yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
        yield context.call_activity("act", 1)

    one = await lab(app)
    found = await one.until(one.start("changes"))
    assert found.status == "Failed"
    assert found.output.startswith("Non-Deterministic workflow detected: A previous execution of this orchestration")
    assert "instead produced a CreateTimerOrchestratorAction action" in found.output


async def test_backoff_of_retry_options_is_obeyed(lab: Any, app: df.DFApp) -> None:
    """The Python SDK sends two of the fields; the extension reads five."""

    @app.orchestration_trigger(context_name="context")
    def retries(context):
        return (yield context.call_activity_with_retry("failing", df.RetryOptions(1000, 4), ["b", 3]))

    one = await lab(app)
    run = one.functions.run_orchestrator

    async def with_backoff(name: str, context: str, instance_id: str) -> str:
        answer = json.loads(await run(name, context, instance_id))
        for action in answer["actions"][0]:
            options = action["compoundActions"][0]["retryOptions"]
            options |= {"backoffCoefficient": 3, "maxRetryIntervalInMilliseconds": 5000}
        return json.dumps(answer)

    one.functions.run_orchestrator = with_backoff
    instance_id = one.start("retries")
    assert (await one.until(instance_id)).output == "4"
    history = one.operations.history(one.operations.status(instance_id))
    delays = [event["FireAt"] for event in history if event["EventType"] == 10]
    assert len(delays) == 3
    assert [seconds_between(history, index) for index in range(3)] == [1.0, 3.0, 5.0]


def seconds_between(history: list[dict[str, Any]], number: int) -> float:
    from local.host.durable.model.dotnet import parse_time

    timers = [index for index, event in enumerate(history) if event["EventType"] == 10]
    timer = timers[number]
    started = [event for event in history[:timer] if event["EventType"] == 12][-1]
    return round((parse_time(history[timer]["FireAt"]) - parse_time(started["Timestamp"])).total_seconds(), 2)


async def test_suspended_orchestrations_note_and_resume(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    instance_id = one.start("wait")
    await one.rest()
    with pytest.raises(WrongState, match="in the Running state"):
        one.operations.resume(instance_id, None)
    one.operations.suspend(instance_id, "lunch")
    found = await one.until(instance_id, "Suspended")
    assert found.output == "lunch"
    with pytest.raises(WrongState, match="in the Suspended state"):
        one.operations.suspend(instance_id, None)
    one.event(instance_id, "go", 5)
    await one.rest()
    assert one.operations.status(instance_id).status == "Suspended"
    one.operations.resume(instance_id, "back")
    found = await one.until(instance_id)
    assert (found.status, found.output) == ("Completed", "5")
    with pytest.raises(Finished):
        one.operations.suspend(instance_id, None)


async def test_what_a_turn_scheduled_that_is_suspended_and_ends_is_lost_and_the_instance_says_so(lab: Any) -> None:
    app = df.DFApp()

    @app.entity_trigger(context_name="context")
    def counter(context):
        context.set_state(1)

    @app.orchestration_trigger(context_name="context")
    def signals(context):
        yield context.wait_for_external_event("go")
        context.signal_entity(df.EntityId("counter", "a"), "add")
        return "done"

    one = await lab(app)
    instance_id = one.start("signals")
    await one.rest()
    one.event(instance_id, "go", 1)
    one.operations.suspend(instance_id, None)
    assert (await one.until(instance_id)).output == '"done"'
    await one.rest()
    with pytest.raises(NotFound):
        one.operations.entity_state("counter", "a")
    assert any(
        "1 actions that it had scheduled in that turn are lost" in note for note in one.extension.diagnosis(instance_id)
    )


async def test_an_orchestrator_that_fails_after_a_wait_that_the_extension_still_stands_at_says_so(lab: Any) -> None:
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def fails(context):
        yield context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
        while True:  # which the SDK answers with the same event, again and again
            yield context.wait_for_external_event("go")

    one = await lab(app)
    instance_id = one.start("fails")
    await one.rest()
    one.event(instance_id, "go", 1)
    await one.rest()
    one.clock.advance(60)
    await one.rest()
    assert one.operations.status(instance_id).status == "Running"
    (note,) = one.extension.diagnosis(instance_id)
    assert "stands at its wait for the event 'go'" in note
    assert "with the error: " in note


async def test_the_same_id_cannot_be_started_twice_at_once_but_again_when_done(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    one.start("wait", instance_id="one")
    with pytest.raises(AlreadyExists, match="Pending already exists"):
        one.start("wait", instance_id="one")
    await one.rest()
    with pytest.raises(AlreadyExists, match="Running already exists"):
        one.start("wait", instance_id="one")
    one.event("one", "go", 1)
    await one.until("one")
    one.start("wait", instance_id="one")
    await one.rest()
    assert one.operations.status("one").generation == 1


async def test_any_state_replaces_a_running_instance(lab: Any, app: df.DFApp) -> None:
    one = await lab(app, overridableExistingInstanceStates="AnyState")
    one.start("wait", instance_id="one")
    await one.rest()
    one.start("echo", 7, instance_id="one")
    found = await one.until("one")
    assert (found.name, found.output) == ("echo", "7")


async def test_rewinding_a_parent_runs_its_failed_grandchild_again(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def leaf(context):
        yield context.call_activity("act", "before")
        return (yield context.call_activity("failing", ["leaf", 1]))

    @app.orchestration_trigger(context_name="context")
    def middle(context):
        return (yield context.call_sub_orchestrator("leaf", None, "leaf-1"))

    @app.orchestration_trigger(context_name="context")
    def top(context):
        return (yield context.call_sub_orchestrator("middle", None, "middle-1"))

    one = await lab(app)
    instance_id = one.start("top")
    assert (await one.until(instance_id)).status == "Failed"
    one.operations.rewind(instance_id, "try again")
    assert one.operations.status(instance_id).status in {"Pending", "Running"}
    found = await one.until(instance_id, "Completed")
    assert found.output == "2"
    assert one.operations.status("leaf-1").status == "Completed"
    with pytest.raises(WrongState, match='only orchestrations in the "Failed" state'):
        one.operations.rewind(instance_id, None)


async def test_restarting_keeps_name_and_input_and_tells_where_it_comes_from(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    await one.output("echo", {"a": 1}, instance_id="first")
    again = one.operations.restart("first", new_id=True)
    assert again != "first"
    assert json.loads((await one.until(again)).output) == {"a": 1}
    started = one.operations.history(one.operations.status(again))[1]
    assert started["Tags"] == {"MS_DurableFunctions_SourceInstanceId": "first"}
    assert one.operations.restart("first", new_id=False) == "first"
    assert (await one.until("first")).generation == 1


@pytest.mark.parametrize(
    ("strategy", "version", "runs"),
    [
        ("None", "9.0", True),
        ("Strict", "2.0", True),
        ("Strict", "1.0", False),
        ("CurrentOrOlder", "1.9", True),
        ("CurrentOrOlder", "2.0", True),
        ("CurrentOrOlder", "2.10", False),
    ],
)
async def test_versions_run_or_fail_by_strategy(
    lab: Any, app: df.DFApp, strategy: str, version: str, runs: bool
) -> None:
    one = await lab(app, defaultVersion="2.0", versionMatchStrategy=strategy, versionFailureStrategy="Fail")
    found = await one.until(one.start("echo", 1, version=version))
    assert found.status == ("Completed" if runs else "Failed")
    if not runs:
        assert found.output == "VersionMismatch: Orchestration version did not comply with Worker Versioning"
        assert version in found.notes[0]
        assert "2.0" in found.notes[0]


async def test_a_rejected_version_waits_for_an_app_that_may_run_it(lab: Any, app: df.DFApp) -> None:
    one = await lab(app, defaultVersion="1.0")
    instance_id = one.start("echo", 1, version="2.0")
    await one.rest()
    assert one.operations.status(instance_id).status == "Pending"
    assert "versionMatchStrategy" in one.extension.diagnosis(instance_id)[0]
    await one.kill()
    await one.reopen(options=one.options.model_copy(update={"default_version": "2.0"}))
    assert (await one.until(instance_id)).status == "Completed"


async def test_the_default_version_reaches_the_orchestrator_and_its_children(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def version(context):
        if context.get_input() == "child":
            return context.version
        return [context.version, (yield context.call_sub_orchestrator("version", "child"))]

    one = await lab(app, defaultVersion="3.1")
    assert await one.output("version", instance_id="one") == ["3.1", "3.1"]
    [created] = [event for event in one.operations.history(one.operations.status("one")) if event["EventType"] == 7]
    assert created["Version"] == "3.1"


async def test_an_unknown_orchestrator_is_accepted_and_fails(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    found = await one.until(one.start("nope"))
    assert found.status == "Failed"
    assert found.output.startswith("Orchestrator function 'nope' failed: The function 'nope' doesn't exist")


async def test_an_answer_that_is_not_json_fails_the_orchestration(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)

    async def nonsense(name: str, context: str, instance_id: str) -> str:
        return "nonsense"

    one.functions.run_orchestrator = nonsense
    found = await one.until(one.start("echo", 1))
    assert (
        found.output == "Orchestrator function 'echo' failed: Out of proc orchestrators must return a valid JSON schema"
    )


async def test_the_first_schema_awaits_any_of_each_list(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    calls: list[int] = []

    async def first_schema(name: str, context: str, instance_id: str) -> str:
        calls.append(1)
        actions = [[{"actionType": 0, "functionName": "act", "input": "1"}]]
        return json.dumps({"isDone": len(calls) > 1, "actions": actions, "output": "old"})

    one.functions.run_orchestrator = first_schema
    assert json.loads((await one.until(one.start("echo", 1))).output) == "old"


async def test_inputs_are_kept_in_the_history_only_when_asked(lab: Any, app: df.DFApp) -> None:
    one = await lab(app, storeInputsInOrchestrationHistory=True)
    await one.output("echo", {"a": 1}, instance_id="kept")
    scheduled = one.operations.history(one.operations.status("kept"))[2]
    assert (scheduled["EventType"], scheduled["Input"]) == (4, '{"a": 1}')


async def test_a_loser_that_ends_by_itself_is_no_reason_to_warn(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def races(context):
        winner = yield context.task_any([context.call_activity("act", 1), context.call_activity("act", 2)])
        return winner.result

    one = await lab(app)
    instance_id = one.start("races")
    assert (await one.until(instance_id)).status == "Completed"
    assert one.extension.diagnosis(instance_id) == []


@pytest.mark.parametrize(
    ("loser", "named"), [("wait", "the sub-orchestration 'wait' (instance 'kid')"), ("slow", "the activity 'slow'")]
)
async def test_a_loser_that_keeps_a_returned_orchestration_open_is_told_of(
    lab: Any, app: df.DFApp, monkeypatch: pytest.MonkeyPatch, loser: str, named: str
) -> None:
    monkeypatch.setattr(orchestrations, "HANGS_AFTER_SECONDS", 0.0)
    logged: list[str] = []
    monkeypatch.setattr(orchestrations.host_log, "warning", lambda text, *values, **_: logged.append(text % values))
    may_end = asyncio.Event()

    @app.activity_trigger(input_name="x")
    async def slow(x):
        await may_end.wait()
        return x

    @app.orchestration_trigger(context_name="context")
    def races(context):
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
        other = (
            context.call_sub_orchestrator("wait", None, "kid") if loser == "wait" else context.call_activity("slow", 1)
        )
        winner = yield context.task_any([timer, other])
        return winner == timer

    one = await lab(app)
    instance_id = one.start("races")
    await one.rest()
    assert one.extension.diagnosis(instance_id) == []
    one.clock.advance(1)
    await one.rest()
    found = one.operations.status(instance_id)
    assert (found.status, found.output) == ("Running", None)
    [note] = one.extension.diagnosis(instance_id)
    assert f"has returned, but {named} is still open" in note
    assert "await the loser" in note
    assert logged == [f"{instance_id}: {note}"]
    may_end.set()
    if loser == "wait":
        one.operations.terminate("kid", None)
    assert (await one.until(instance_id)).output == "true"
    assert one.extension.diagnosis(instance_id) == [note]
