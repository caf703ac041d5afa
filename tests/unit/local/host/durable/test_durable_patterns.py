"""Patterns that the recordings do not hold, from their start to their end."""

import json
from datetime import timedelta
from typing import Any, Self

import azure.durable_functions as df
import pytest


class Box:
    """What an app may pass between its functions: the SDK's own way of custom types."""

    def __init__(self, number: int) -> None:
        self.number = number

    @staticmethod
    def to_json(box: "Box") -> str:
        return str(box.number)

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(int(text))


def add_box(app: df.DFApp) -> None:
    @app.entity_trigger(context_name="context")
    def box(context):
        if context.operation_name == "set":
            context.set_state(context.get_input())
        elif context.operation_name == "boom":
            context.set_state("changed")
            raise ValueError("no")
        context.set_result([context.entity_key, context.get_state(lambda: "new")])


@pytest.fixture
def app() -> df.DFApp:
    app = df.DFApp()
    calls: dict[str, int] = {}

    @app.activity_trigger(input_name="x")
    def act(x):
        return x

    @app.activity_trigger(input_name="box")
    def more(box):
        return Box(box.number + 1)

    @app.activity_trigger(input_name="k")
    def failing(k: list):
        calls[k[0]] = calls.get(k[0], 0) + 1
        if calls[k[0]] <= k[1]:
            raise RuntimeError(f"fail {calls[k[0]]}")
        return calls[k[0]]

    @app.orchestration_trigger(context_name="context")
    def fails(context):
        return (yield context.call_activity("failing", context.get_input()))

    @app.orchestration_trigger(context_name="context")
    def deep(context):
        level = context.get_input()
        if level:
            return (yield context.call_sub_orchestrator("deep", level - 1))
        return (yield context.call_activity("failing", ["deep", 9]))

    add_box(app)
    return app


async def test_nested_any_and_all_with_timers(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def nested(context):
        now = context.current_utc_datetime
        late, soon = context.create_timer(now + timedelta(hours=1)), context.create_timer(now + timedelta(seconds=1))
        both = context.task_all([context.call_activity("act", 1), soon])
        winner = yield context.task_any([context.task_any([late, context.wait_for_external_event("never")]), both])
        late.cancel()
        return [winner == both, both.result[0]]

    one = await lab(app)
    began = one.clock.now()
    assert await one.output("nested") == [True, 1]
    assert one.clock.now() - began < timedelta(minutes=1), "the cancelled timer does not hold it open"


async def test_what_won_a_race_can_be_awaited_with_the_rest(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def races(context):
        tasks = [context.call_activity("act", number) for number in range(3)]
        first = yield context.task_any(tasks)
        again = yield first
        return [again == first.result, (yield context.task_all(tasks))]

    assert await (await lab(app)).output("races") == [True, [0, 1, 2]]


async def test_timers_come_in_the_order_of_their_times(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def sorts(context):
        now = context.current_utc_datetime
        timers = {context.create_timer(now + timedelta(seconds=wait)): wait for wait in (3, 1, 2)}
        order = []
        while timers:
            winner = yield context.task_any(list(timers))
            order.append(timers.pop(winner))
        return order

    assert await (await lab(app)).output("sorts") == [1, 2, 3]


async def test_a_timer_of_weeks_comes_in_pieces_of_three_days(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def long(context):
        start = context.current_utc_datetime
        yield context.create_timer(start + timedelta(days=20))
        return (context.current_utc_datetime - start).days

    one = await lab(app)
    instance_id = one.start("long")
    assert (await one.until(instance_id, seconds=timedelta(days=21).total_seconds())).output == "20"
    assert one.kinds(instance_id).count(10) == 6, "five of three days and the rest"


async def test_events_that_come_before_the_first_turn(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def waits(context):
        return (yield context.task_all([context.wait_for_external_event(name) for name in ("a", "b")]))

    one = await lab(app)
    instance_id = one.start("waits")
    one.event(instance_id, "b", {"two": 2})
    one.event(instance_id, "a", None)
    assert json.loads((await one.until(instance_id)).output) == [None, {"two": 2}]
    assert one.kinds(instance_id)[:4] == [12, 0, 15, 15]


async def test_each_continuation_keeps_its_entity_its_timer_and_its_status(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def again(context):
        number = context.get_input() or 0
        context.set_custom_status({"number": number})
        state = yield context.call_entity(df.EntityId("Box", "K@y"), "set", number)
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=2))
        if number < 2:
            context.continue_as_new(number + 1)
            return None
        return state

    one = await lab(app)
    instance_id = one.start("again")
    found = await one.until(instance_id)
    assert (found.output, found.custom_status) == ('["K@y",2]', '{"number":2}')
    assert one.operations.entity_state("box", "K@y") == "2"


async def test_a_failure_deep_down_names_every_level(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    found = await one.until(one.start("deep", 2))
    assert found.status == "Failed"
    assert found.output.startswith(
        "Orchestrator function 'deep' failed: " * 3 + "Activity function 'failing' failed: RuntimeError: fail 1 \n {"
    )


async def test_a_retried_child_keeps_the_id_that_it_was_given(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def parent(context):
        options = df.RetryOptions(100, 3)
        return (yield context.call_sub_orchestrator_with_retry("fails", options, ["child", 2], "kid"))

    one = await lab(app)
    instance_id = one.start("parent")
    assert (await one.until(instance_id)).output == "3"
    assert [kind for kind in one.kinds(instance_id) if kind not in {12, 13}] == [0, 7, 9, 10, 11, 7, 9, 10, 11, 7, 8, 1]
    assert one.operations.status("kid").status == "Completed"


async def test_a_child_retried_in_vain_has_one_timer_more(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def parent(context):
        try:
            yield context.call_sub_orchestrator_with_retry("fails", df.RetryOptions(100, 2), ["vain", 9])
        except Exception as error:
            return str(error).partition("RuntimeError: ")[2][:6]

    one = await lab(app)
    instance_id = one.start("parent")
    assert json.loads((await one.until(instance_id)).output) == "fail 2"
    assert [kind for kind in one.kinds(instance_id) if kind not in {12, 13}] == [0, 7, 9, 10, 11, 7, 9, 10, 11, 1]


async def test_rewinding_twice(lab: Any, app: df.DFApp) -> None:
    one = await lab(app)
    instance_id = one.start("fails", ["twice", 2])
    for failures in (1, 2):
        assert (await one.until(instance_id)).status == "Failed"
        assert one.kinds(instance_id).count(6) == 1, failures
        one.operations.rewind(instance_id, f"try {failures}")
        await one.rest()
    found = await one.until(instance_id)
    assert (found.status, found.output) == ("Completed", "3")


async def test_terminating_a_suspended_orchestration_drops_what_it_held(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def waits(context):
        return (yield context.wait_for_external_event("go"))

    one = await lab(app)
    instance_id = one.start("waits")
    await one.rest()
    one.operations.suspend(instance_id, "lunch")
    await one.rest()
    one.event(instance_id, "go", 1)
    await one.rest()
    one.operations.terminate(instance_id, "enough")
    found = await one.until(instance_id)
    assert (found.status, found.output) == ("Terminated", "enough")


async def test_custom_types_pass_through_activities(lab: Any, app: df.DFApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "0")

    @app.orchestration_trigger(context_name="context")
    def boxes(context):
        box = yield context.call_activity("more", Box(4))
        return box.number

    assert await (await lab(app)).output("boxes") == 5


async def test_numbers_that_are_none_and_large_texts_pass(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def odds(context):
        large = yield context.call_activity("act", "é" * 500_000)
        value = yield context.call_activity("odd", "nan")
        return [len(large), value]

    @app.activity_trigger(input_name="x")
    def odd(x):
        return float("nan")

    one = await lab(app)
    assert (await one.until(one.start("odds"))).output == "[500000,NaN]"


@pytest.mark.parametrize(
    ("result", "error"),
    [("bytes", "activity trigger output must be json serializable (b'bytes')"), ("model", "not JSON serializable")],
)
async def test_what_is_no_json_fails(lab: Any, app: df.DFApp, result: str, error: str) -> None:
    @app.orchestration_trigger(context_name="context")
    def returns(context):
        if context.get_input() == "model":
            return Box(1)
        return (yield context.call_activity("odd", context.get_input()))

    @app.activity_trigger(input_name="x")
    def odd(x):
        return b"bytes"

    one = await lab(app)
    found = await one.until(one.start("returns", result))
    assert found.status == "Failed"
    assert error in found.output


async def test_an_async_orchestrator_fails_with_the_sdks_words(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    async def asynchronous(context):
        return 1

    one = await lab(app)
    found = await one.until(one.start("asynchronous"))
    assert found.output == (
        "Orchestrator function 'asynchronous' failed: Object of type coroutine is not JSON serializable"
    )


async def test_an_operation_that_fails_keeps_what_it_set(lab: Any, app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def operates(context):
        entity = df.EntityId("box", "k")
        first = yield context.call_entity(entity, "get")
        yield context.call_entity(entity, "set", None)
        try:
            yield context.call_entity(entity, "boom")
        except Exception as error:
            return [first, str(error), (yield context.call_entity(entity, "get"))]

    assert await (await lab(app)).output("operates") == [["k", "new"], "no", ["k", "changed"]]
