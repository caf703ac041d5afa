"""Entities: batches, calls, signals from client, orchestrator and entity, signals for later, listing."""

import json
from traceback import format_exc
from typing import Any

import azure.durable_functions as df
import pytest

from local.host.durable.management.queries import Query
from local.host.durable.management.refusals import NotFound, UnknownEntity
from local.host.durable.model import entities
from local.host.durable.sdk import entity_errors


@pytest.fixture
def app() -> df.DFApp:
    app = df.DFApp()

    @app.entity_trigger(context_name="context")
    def counter(context):
        value = context.get_state(lambda: 0)
        if context.operation_name == "boom":
            raise ValueError("entity boom")
        value += context.get_input() or 0
        context.set_state(value)
        context.set_result(value)

    @app.orchestration_trigger(context_name="context")
    def calls(context):
        return (yield context.call_entity(df.EntityId("Counter", "k"), "add", context.get_input()))

    @app.orchestration_trigger(context_name="context")
    def calls_all(context):
        every = [context.call_entity(df.EntityId("counter", str(key)), "add", key) for key in range(3)]
        return (yield context.task_all(every))

    return app


async def test_signals_that_wait_are_applied_in_one_batch(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    batches: list[int] = []
    run = one.functions.run_entity

    async def noted(name: str, context: str, instance_id: str) -> str:
        batches.append(len(json.loads(context)["batch"]))
        return await run(name, context, instance_id)

    one.functions.run_entity = noted
    for _ in range(10):
        one.operations.signal_entity("counter", "k", "add", json.dumps("2"))
    await one.rest()
    assert one.operations.entity_state("COUNTER", "k") == "20"
    assert batches == [10]


async def test_a_batch_is_no_larger_than_allowed(lab: Any, app: df.DFApp) -> None:
    one = await lab(app, maxEntityOperationBatchSize=4)
    for _ in range(10):
        one.operations.signal_entity("counter", "k", "add", json.dumps("2"))
    await one.rest()
    assert one.operations.entity_state("counter", "k") == "20"


async def test_calls_answer_each_caller(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    assert await one.output("calls", 5) == 5
    assert await one.output("calls", 6) == 11
    assert await one.output("calls_all") == [0, 1, 2]


async def test_an_entity_that_never_ran_is_not_found(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    with pytest.raises(NotFound):
        one.operations.entity_state("counter", "none")
    with pytest.raises(UnknownEntity, match="known entity functions: 'counter'"):
        one.operations.signal_entity("nobody", "k", "add", None)


async def test_a_function_that_fails_as_a_whole_fails_every_call_and_keeps_the_state(lab: Any, app: df.DFApp) -> None:
    from local.host.durable.model.ports import FunctionFailed

    @app.orchestration_trigger(context_name="context")
    def careful(context):
        try:
            return (yield context.call_entity(df.EntityId("counter", "k"), "add", 1))
        except Exception as error:
            return str(error)

    one = await lab(app)
    one.operations.signal_entity("counter", "k", "add", json.dumps("7"))
    await one.rest()

    async def fails(name: str, context: str, instance_id: str) -> str:
        raise FunctionFailed("MemoryError", "no more", "")

    one.functions.run_entity = fails
    assert await one.output("careful") == "no more"
    assert one.operations.entity_state("counter", "k") == "7"


async def test_an_entity_signals_another(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    run = one.functions.run_entity

    async def with_signal(name: str, context: str, instance_id: str) -> str:
        answer = json.loads(await run(name, context, instance_id))
        if instance_id.endswith("@first"):
            target = {"name": "Counter", "key": "second"}
            answer["signals"] = [{"target": target, "name": "add", "input": json.dumps("9")}]
        return json.dumps(answer)

    one.functions.run_entity = with_signal
    one.operations.signal_entity("counter", "first", "add", json.dumps("1"))
    await one.rest()
    assert one.operations.entity_state("counter", "second") == "9"


async def test_entities_are_listed_between_the_orchestrations_and_are_not_purged_by_a_filter(
    lab: Any, app: df.DFApp
) -> None:
    one = await lab(app)
    one.operations.signal_entity("counter", "k", "add", json.dumps("1"))
    await one.output("calls", 1, instance_id="zz")
    found, token = one.operations.page(lambda _: True, 10, None)
    assert [item.instance_id for item in found] == ["@counter@k", "zz"]
    assert token is None
    assert one.operations.purge_by(Query()) == 1
    assert one.operations.entity_state("counter", "k") == "2"
    one.operations.purge("@counter@k")
    with pytest.raises(NotFound):
        one.operations.entity_state("counter", "k")


def test_ids_keep_the_keys_case() -> None:
    assert entities.entity_id("Store", "CaseKey") == "@store@CaseKey"
    assert entities.split_id("@store@a@b") == ("store", "a@b")


async def test_a_failed_operation_is_told_of_with_its_place_and_noted_on_the_entity(
    lab: Any, app: df.DFApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(
        entity_errors.host_log, "exception", lambda text, *values, **_: logged.append(f"{text % values} {format_exc()}")
    )
    one = await lab(app)
    for _ in range(3):
        one.operations.signal_entity("counter", "k", "boom", None)
    await one.rest()
    assert logged[0].startswith("@counter@k: the operation 'boom' failed. Traceback")
    assert "test_entity_batches.py" in logged[0]
    assert "ValueError: entity boom" in logged[0]
    [note] = one.extension.diagnosis("@counter@k")
    assert note.startswith('An operation failed: boom: "entity boom".')
