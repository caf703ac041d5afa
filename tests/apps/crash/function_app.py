"""Every durable pattern, queues and a timer, each leaving traces that tell afterwards what ran and how often.

CRASH_STATE is the folder of the traces: `turns` has a line for each invocation of an orchestrator (instance, execution,
how many episodes its history holds), `activities` one for each run of an activity, `messages` one for each message that
has gone all the way (storage queue, Service Bus, storage queue), `timers` one for each run of the timer (when it was
due). CRASH_URL is what is called over HTTP.
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


@app.orchestration_trigger(context_name="context")
def nested(context):
    name = traced(context)
    both = context.task_all([context.call_activity("work", [name, step]) for step in (1, 2)])
    deadline = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    third = context.call_activity("work", [name, 3])
    yield context.task_all([context.task_any([both, deadline]), third])
    deadline.cancel()
    return [both.result, third.result]


@app.orchestration_trigger(context_name="context")
def fails(context):
    yield context.call_activity("work", [traced(context), 0])
    raise ValueError("the child says no")


@app.orchestration_trigger(context_name="context")
def caught(context):
    name = traced(context)
    try:
        yield context.call_sub_orchestrator("fails", None, f"{name}-child")
    except Exception as error:
        return ["the child says no" in str(error), (yield context.call_activity("work", [name, 1]))]


@app.orchestration_trigger(context_name="context")
def waits(context):
    traced(context)
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def ended(context):
    """Its child is terminated."""
    name = traced(context)
    try:
        yield context.call_sub_orchestrator("waits", None, f"{name}-child")
    except Exception:
        return "ended"


@app.orchestration_trigger(context_name="context")
def paused(context):
    """Is suspended, gets its event, and is resumed."""
    name = traced(context)
    event = yield context.wait_for_external_event("go")
    return [event, (yield context.call_activity("work", [name, 1]))]


@app.orchestration_trigger(context_name="context")
def ticks(context):
    """Three events that come at once: two of them are pending each time that it continues as new."""
    traced(context)
    seen = [*(context.get_input() or []), (yield context.wait_for_external_event("tick"))]
    if len(seen) < 3:
        context.continue_as_new(seen)
        return None
    return seen


@app.orchestration_trigger(context_name="context")
def web(context):
    traced(context)
    return (yield context.call_http("GET", os.environ["CRASH_URL"]))["statusCode"]


@app.orchestration_trigger(context_name="context")
def rewound(context):
    return (yield context.call_activity("flaky", traced(context)))


@app.queue_trigger(arg_name="msg", queue_name="crash-in", connection="Storage")
@app.service_bus_queue_output(arg_name="$return", queue_name="crash", connection="Bus")
def take(msg: func.QueueMessage) -> str:
    return msg.get_body().decode()


@app.service_bus_queue_trigger(arg_name="msg", queue_name="crash", connection="Bus")
@app.queue_output(arg_name="$return", queue_name="crash-out", connection="Storage")
def forward(msg: func.ServiceBusMessage) -> str:
    return msg.get_body().decode()


@app.queue_trigger(arg_name="msg", queue_name="crash-out", connection="Storage")
def arrive(msg: func.QueueMessage) -> None:
    trace("messages", msg.get_body().decode())


@app.timer_trigger(arg_name="timer", schedule="0 0 3 * * *")
def nightly(timer: func.TimerRequest) -> None:
    trace("timers", timer.schedule_status["Next"])
