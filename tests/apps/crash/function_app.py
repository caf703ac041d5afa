"""One orchestration of every durable pattern, each leaving traces that tell afterwards what ran and how often.

CRASH_STATE is the folder of the traces: `turns` has a line for each invocation of an orchestrator (instance, execution,
how many episodes its history holds), `activities` one for each run of an activity.
"""

import os
from datetime import timedelta
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func
from azure.durable_functions.models.history import HistoryEventType

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
STATE = Path(os.environ["CRASH_STATE"])
STATE.mkdir(parents=True, exist_ok=True)
FIVE_ATTEMPTS = df.RetryOptions(50, 5)
SHORT = timedelta(milliseconds=150)


def trace(name, *words):
    with (STATE / name).open("a") as file:
        file.write(" ".join(str(word) for word in words) + "\n")


def traced(context):
    """Note how far the history is that this invocation was given."""
    started = next(one for one in context.histories if one.event_type == HistoryEventType.EXECUTION_STARTED)
    episodes = sum(one.event_type == HistoryEventType.ORCHESTRATOR_STARTED for one in context.histories)
    trace("turns", context.instance_id, started.OrchestrationInstance["ExecutionId"], episodes)
    return context.instance_id


@app.activity_trigger(input_name="step")
def work(step: list):
    """[instance, step]: gives the step back."""
    trace("activities", *step)
    return step[1]


@app.activity_trigger(input_name="name")
def flaky(name: str):
    """Fails the first time that it runs for a name."""
    path = STATE / f"flaky-{name}"
    if not path.exists():
        path.touch()
        raise RuntimeError("the first time")
    return "done"


@app.entity_trigger(context_name="context")
def counter(context):
    value = context.get_state(lambda: 0)
    if context.operation_name == "add":
        value += context.get_input()
        context.set_state(value)
    context.set_result(value)


@app.orchestration_trigger(context_name="context")
def chain(context):
    name, total = traced(context), 0
    for step in range(5):
        total += yield context.call_activity("work", [name, step])
    return total


@app.orchestration_trigger(context_name="context")
def fan(context):
    name = traced(context)
    return sum((yield context.task_all([context.call_activity("work", [name, step]) for step in range(8)])))


@app.orchestration_trigger(context_name="context")
def retry(context):
    name = traced(context)
    return (yield context.call_activity_with_retry("flaky", FIVE_ATTEMPTS, name))


@app.orchestration_trigger(context_name="context")
def parent(context):
    name = traced(context)
    first = yield context.call_sub_orchestrator("chain", None, f"{name}-child")
    second = yield context.call_sub_orchestrator_with_retry("retry", FIVE_ATTEMPTS)
    return [first, second]


@app.orchestration_trigger(context_name="context")
def timers(context):
    traced(context)
    for _ in range(3):
        yield context.create_timer(context.current_utc_datetime + SHORT)
    return "fired"


@app.orchestration_trigger(context_name="context")
def race(context):
    name = traced(context)
    event = context.wait_for_external_event("go")
    deadline = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    winner = yield context.task_any([event, deadline])
    deadline.cancel()
    after = yield context.call_activity("work", [name, 1])
    return [winner == event, event.result, after]


@app.orchestration_trigger(context_name="context")
def again(context):
    name, turn = traced(context), context.get_input() or 0
    yield context.call_activity("work", [name, turn])
    if turn < 3:
        context.continue_as_new(turn + 1)
        return None
    return turn


@app.orchestration_trigger(context_name="context")
def tally(context):
    name = traced(context)
    entity = df.EntityId("counter", name)
    for _ in range(5):
        context.signal_entity(entity, "add", 1)
    yield context.call_activity("work", [name, 0])
    yield context.call_entity(entity, "add", 10)
    return (yield context.call_entity(entity, "get"))
