"""Orchestrators that the extension fails, or leaves waiting, for what they raise or ask."""

import json
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest


@pytest.fixture
def app() -> df.DFApp:
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    def act(x):
        return x

    @app.entity_trigger(context_name="context")
    def counter(context):
        context.set_state((context.get_state() or 0) + 1)

    return app


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt("stop"), BaseException("base")])
async def test_what_is_no_exception_fails_the_orchestration_with_its_own_text(
    lab: Any, app: df.DFApp, error: BaseException
) -> None:
    @app.orchestration_trigger(context_name="context")
    def leaves(context):
        yield context.call_activity("act", 1)
        raise error

    one = await lab(app)
    instance_id = one.start("leaves")
    found = await one.until(instance_id)
    assert (found.status, found.output) == (
        "Failed",
        f"Orchestrator function 'leaves' failed: {type(error).__name__}: {error}",
    )
    assert "ends the worker's process" in one.extension.diagnosis(instance_id)[0]


async def test_a_plain_function_that_raises_fails_as_the_host_words_it(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def plain(context):
        raise ValueError("no generator")

    one = await lab(app)
    found = await one.until(one.start("plain"))
    assert found.status == "Failed"
    assert found.output.startswith(
        "Orchestrator function 'plain' failed: One or more errors occurred. (Result: Failure\n"
        "Exception: ValueError: no generator\nStack: "
    )


async def test_an_error_of_the_sdk_itself_is_told_where_azure_says_non_deterministic(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def lists(context):
        yield context.call_activity("act", 1)
        yield [context.call_activity("act", 2)]

    one = await lab(app)
    instance_id = one.start("lists")
    found = await one.until(instance_id)
    assert found.status == "Failed"
    assert found.output.startswith("Non-Deterministic workflow detected")
    assert "'list' object has no attribute" in one.extension.diagnosis(instance_id)[0]


@pytest.mark.parametrize("text", ["?sig=abc was refused", "password=hunter2"])
async def test_an_error_with_a_credential_hides_the_answer_with_it(lab: Any, app: df.DFApp, text: str) -> None:
    @app.orchestration_trigger(context_name="context")
    def tells(context):
        yield context.call_activity("act", 1)
        raise ValueError(text)

    one = await lab(app)
    instance_id = one.start("tells")
    found = await one.until(instance_id)
    assert found.status == "Failed"
    assert found.output.startswith("Non-Deterministic workflow detected")
    [note] = one.extension.diagnosis(instance_id)
    assert "looks like a credential" in note
    assert "hunter2" not in note


async def test_a_credential_among_the_inputs_breaks_the_answer_of_one_that_raises(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def passes(context):
        context.signal_entity(df.EntityId("counter", "k"), "add", "https://x/?code=secret")
        raise ValueError("mine")
        yield

    one = await lab(app)
    found = await one.until(one.start("passes"))
    assert (found.status, found.output) == ("Failed", "Out of proc orchestrators must return a valid JSON schema")
    assert "looks like a credential" in found.notes[0]


async def test_a_signal_to_an_unknown_entity_fails_the_orchestration(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def signals(context):
        context.signal_entity(df.EntityId("Nobody", "k"), "add", 1)
        yield context.call_activity("act", 1)

    one = await lab(app)
    instance_id = one.start("signals")
    found = await one.until(instance_id)
    assert (found.status, found.output) == (
        "Failed",
        (
            "Orchestrator function 'signals' failed: The function 'nobody' doesn't exist, is disabled, or is not an "
            "entity function. Additional info: The following are the known entity functions: 'counter'."
        ),
    )
    assert 4 not in one.kinds(instance_id), "what comes after the signal is not scheduled"


async def test_a_refused_signal_of_an_orchestrator_that_raises_is_told_without_its_name(
    lab: Any, app: df.DFApp
) -> None:
    @app.orchestration_trigger(context_name="context")
    def signals(context):
        context.signal_entity(df.EntityId("nobody", "k"), "add", 1)
        raise ValueError("mine")
        yield

    one = await lab(app)
    found = await one.until(one.start("signals"))
    assert found.output.startswith("The function 'nobody' doesn't exist")


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ({"actionType": 99}, "Received an unexpected action type from the out-of-proc function: '$99'."),
        ({"actionType": 11, "compoundActions": []}, "The tasks argument contains no tasks. (Parameter 'tasks')"),
    ],
)
async def test_an_action_that_the_extension_cannot_take_fails_the_orchestration(
    lab: Any, app: df.DFApp, action: dict[str, Any], error: str
) -> None:
    @app.orchestration_trigger(context_name="context")
    def echo(context):
        return (yield context.call_activity("act", 1))

    one = await lab(app)

    async def unknown(name: str, context: str, instance_id: str) -> str:
        return json.dumps({"isDone": True, "schemaVersion": 2, "actions": [[action]], "output": 1})

    one.functions.run_orchestrator = unknown
    found = await one.until(one.start("echo"))
    assert (found.status, found.output) == ("Failed", f"Orchestrator function 'echo' failed: {error}")


async def test_a_custom_status_over_16_kilobytes_fails_the_orchestration(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def shows(context):
        context.set_custom_status("x" * context.get_input())
        return "done"
        yield

    one = await lab(app)
    assert await one.output("shows", 8 * 1024) == "done"
    found = await one.until(one.start("shows", 9 * 1024))
    assert (found.status, found.output) == (
        "Failed",
        (
            "Orchestrator function 'shows' failed: The UTF-16 size of the JSON-serialized payload must not exceed "
            "16 KB. The current payload size is 18 KB."
        ),
    )


async def test_more_actions_than_allowed_are_not_scheduled(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def many(context):
        yield context.task_all([context.call_activity("act", i) for i in range(3)])

    one = await lab(app, maxOrchestrationActions=2)
    instance_id = one.start("many")
    await one.rest()
    assert one.operations.status(instance_id).status == "Running"
    assert one.kinds(instance_id).count(4) == 2
    assert "(2) has been reached" in one.extension.diagnosis(instance_id)[0]


async def test_signals_beyond_the_allowed_actions_fail_the_orchestration(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def many(context):
        for _ in range(3):
            context.signal_entity(df.EntityId("counter", "k"), "add", 1)
        return "sent"
        yield

    one = await lab(app, maxOrchestrationActions=2)
    found = await one.until(one.start("many"))
    assert found.status == "Failed"
    assert "Maximum amount of orchestration actions (2) has been reached" in found.output
    await one.rest()
    assert one.operations.entity_state("counter", "k") == "2", "the first two signals were sent"


@pytest.mark.parametrize("child_id", ["@counter@k", "PARENT"])
async def test_a_child_id_that_is_refused_waits_for_ever(lab: Any, app: df.DFApp, child_id: str) -> None:
    @app.orchestration_trigger(context_name="context")
    def parent(context):
        yield context.call_sub_orchestrator("parent", None, child_id)

    one = await lab(app)
    one.start("parent", instance_id="parent")
    await one.rest()
    assert one.operations.status("parent").status == "Running"
    assert 7 not in one.kinds("parent")
    assert "waits for ever" in one.extension.diagnosis("parent")[0]


async def test_a_retry_interval_over_six_days_waits_for_ever(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def retries(context):
        week = int(timedelta(days=7).total_seconds() * 1000)
        yield context.call_activity_with_retry("act", df.RetryOptions(week, 2), 1)

    one = await lab(app)
    instance_id = one.start("retries")
    await one.rest()
    assert one.operations.status(instance_id).status == "Running"
    assert "maximum of 6 days" in one.extension.diagnosis(instance_id)[0]


async def test_a_retried_call_of_an_unknown_activity_is_not_tried(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def retries(context):
        yield context.call_activity_with_retry("nobody", df.RetryOptions(1000, 3), 1)

    one = await lab(app)
    instance_id = one.start("retries")
    await one.rest()
    assert one.operations.status(instance_id).status == "Running"
    assert 10 not in one.kinds(instance_id)
    assert len(one.extension.diagnosis(instance_id)) == 1


async def test_an_orchestrator_that_waits_for_nothing_is_explained(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def idle(context):
        yield context.call_activity("act", 1)
        yield None

    one = await lab(app)
    instance_id = one.start("idle")
    await one.rest()
    assert one.operations.status(instance_id).status == "Running"
    assert "nothing that could ever complete" in one.extension.diagnosis(instance_id)[0]
