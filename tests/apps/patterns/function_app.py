"""Every durable pattern that was recorded from Microsoft's extension, under the recorded names.

The names, inputs and results are those of the recordings in tests/conformance/golden, so that a run here can be laid
beside one there. PATTERNS_STATE is a folder in which activities count how often they ran; PATTERNS_URL is where the
HTTP patterns call.
"""

import json
import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
THREE_ATTEMPTS = df.RetryOptions(1000, 3)
STATE = Path(os.environ.get("PATTERNS_STATE") or tempfile.mkdtemp(prefix="patterns-"))
OWN_URL = f"http://{os.environ.get('WEBSITE_HOSTNAME', '127.0.0.1:7071')}"
URL = os.environ.get("PATTERNS_URL", OWN_URL)


def count(key):
    """How often this was called with the key, this time included; survives the process."""
    STATE.mkdir(parents=True, exist_ok=True)
    path = STATE / str(key).replace("/", "_").replace(":", "_")
    with path.open("a") as file:
        file.write("x")
    return path.stat().st_size


# -- endpoints: what the recordings' own HTTP functions did


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client) -> func.HttpResponse:
    body = json.loads(req.get_body()) if req.get_body() else None
    instance_id = await client.start_new(req.route_params["name"], req.params.get("id"), body)
    return client.create_check_status_response(req, instance_id)


@app.route(route="raise/{id}/{event}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def raise_event(req: func.HttpRequest, client) -> func.HttpResponse:
    payload = json.loads(req.get_body() or b"null")
    await client.raise_event(req.route_params["id"], req.route_params["event"], payload)
    return func.HttpResponse("ok")


@app.route(route="ops/{id}/{op}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def ops(req: func.HttpRequest, client) -> func.HttpResponse:
    instance_id, operation = req.route_params["id"], req.route_params["op"]
    if operation == "wait":
        return await client.wait_for_completion_or_create_check_status_response(req, instance_id, 20000, 200)
    try:
        answer = await operate(client, instance_id, operation, req.params)
    except Exception as error:
        answer = {"exception": type(error).__name__, "text": str(error)}
    return func.HttpResponse(json.dumps(answer, default=str), mimetype="application/json")


async def operate(client, instance_id, operation, params):
    if operation in ("terminate", "suspend", "resume", "rewind"):
        return await getattr(client, operation)(instance_id, "because")
    if operation == "purge":
        return (await client.purge_instance_history(instance_id)).instances_deleted
    if operation == "restart":
        return await client.restart(instance_id)
    if operation == "status":
        return (await client.get_status(instance_id, True, True, True)).to_json()
    entity = df.EntityId(params["name"], params["key"])
    if operation == "signal":
        return await client.signal_entity(entity, "add", 3)
    state = await client.read_entity_state(entity)
    return [state.entity_exists, state.entity_state]


@app.route(route="items/{id:int?}", methods=["GET", "POST"])
def items(req: func.HttpRequest) -> func.HttpResponse:
    seen = {"route": dict(req.route_params), "q": dict(req.params), "m": req.method, "len": len(req.get_body())}
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


# -- activities


@app.activity_trigger(input_name="x")
def act(x):
    """Gives back what it gets; a list's second number is a pause in milliseconds."""
    if isinstance(x, list) and len(x) > 1 and isinstance(x[1], (int, float)):
        time.sleep(x[1] / 1000)
    return x


@app.activity_trigger(input_name="x")
def echo2(x):
    return x


@app.activity_trigger(input_name="k")
def failn(k: list):
    """Fails the first k[1] times that it is called with the key k[0]."""
    calls = count(k[0])
    if calls <= k[1]:
        raise RuntimeError(f"fail {calls}")
    return calls


@app.activity_trigger(input_name="x")
def act_none(x):
    return None


@app.activity_trigger(input_name="x")
def act_bad(x):
    return object()


ERRORS = {
    "plain": ValueError("m"),
    "empty": ValueError(),
    "multi": RuntimeError("line1\nline2\nStack: fake"),
    "key": KeyError("k"),
    "result": Exception("Result: x\nException: y\nStack: z"),
    "cred": RuntimeError("password=hunter2 is bad"),
}


@app.activity_trigger(input_name="x")
def act_exc(x):
    raise ERRORS[x]


# -- chains, fan-outs, retries


@app.orchestration_trigger(context_name="context")
def p_chain(context):
    done = []
    for index in range(context.get_input() or 3):
        done.append((yield context.call_activity("act", index)))
    return done


@app.orchestration_trigger(context_name="context")
def p_fan(context):
    results = yield context.task_all([context.call_activity("act", i) for i in range(context.get_input() or 5)])
    return sum(results)


@app.orchestration_trigger(context_name="context")
def p_any_loop(context):
    tasks = [context.call_activity("act", [i, 300 * (5 - i)]) for i in range(5)]
    winners = set()
    for _ in range(3):
        winner = yield context.task_any(tasks)
        tasks.remove(winner)
        winners.add(winner.result[0])
    return len(winners)


@app.orchestration_trigger(context_name="context")
def p_nested(context):
    every = context.task_all([context.call_activity("act", [i, 1]) for i in range(3)])
    deadline = context.current_utc_datetime + timedelta(seconds=60)
    first = context.task_any([context.call_activity("act", ["fast", 1]), context.create_timer(deadline)])
    retried = context.call_activity_with_retry("failn", THREE_ATTEMPTS, [context.instance_id, 1])
    results = yield context.task_all([every, first, retried])
    return [[one[0] for one in results[0]], results[1].result[0], results[2]]


@app.orchestration_trigger(context_name="context")
def p_retry_ok(context):
    value = yield context.call_activity_with_retry("failn", THREE_ATTEMPTS, [context.instance_id, 2])
    after = yield context.call_activity("act", "after")
    return [value, after]


@app.orchestration_trigger(context_name="context")
def p_retry_exhausted(context):
    try:
        yield context.call_activity_with_retry("failn", THREE_ATTEMPTS, [context.instance_id, 99])
    except Exception as error:
        after = yield context.call_activity("act", "after")
        return [str(error), after]
    return "no"


@app.orchestration_trigger(context_name="context")
def x_retry_backoff(context):
    try:
        yield context.call_activity_with_retry("failn", df.RetryOptions(1000, 4), [context.instance_id, 99])
    except Exception as error:
        return str(error)


@app.orchestration_trigger(context_name="context")
def p_all_fail(context):
    tasks = [context.call_activity("act", 1), context.call_activity("failn", [context.instance_id, 9])]
    try:
        yield context.task_all([*tasks, context.call_activity("act", 2)])
    except Exception as error:
        return str(error)


# -- sub-orchestrations


@app.orchestration_trigger(context_name="context")
def child(context):
    value = yield context.call_activity("act", context.get_input())
    return {"y": value, "parent": context.parent_instance_id, "id": context.instance_id}


@app.orchestration_trigger(context_name="context")
def child_fail(context):
    return (yield context.call_activity("failn", context.get_input()))


@app.orchestration_trigger(context_name="context")
def p_sub(context):
    first = yield context.call_sub_orchestrator("child", {"x": 1})
    second = yield context.call_sub_orchestrator("child", [1, 2], "my-child-" + context.instance_id)
    return [first["y"], second["y"]]


@app.orchestration_trigger(context_name="context")
def p_sub_retry(context):
    arguments = [context.instance_id, 2]
    return (yield context.call_sub_orchestrator_with_retry("child_fail", THREE_ATTEMPTS, arguments))


@app.orchestration_trigger(context_name="context")
def p_sub_fail(context):
    try:
        yield context.call_sub_orchestrator("child_fail", [context.instance_id, 99])
    except Exception as error:
        return str(error)


@app.orchestration_trigger(context_name="context")
def x_sub_throws(context):
    try:
        return (yield context.call_sub_orchestrator("p_fails"))
    except Exception as error:
        return [type(error).__name__, str(error)]


@app.orchestration_trigger(context_name="context")
def x_parent_waits(context):
    return (yield context.call_sub_orchestrator("p_wait", None, "kid-" + context.instance_id))


@app.orchestration_trigger(context_name="context")
def x_sub_same_id(context):
    """Starts a child under the id it is given."""
    return (yield context.call_sub_orchestrator("child", 1, context.get_input()))


@app.orchestration_trigger(context_name="context")
def x_sub_retry_fixed_id(context):
    try:
        return (
            yield context.call_sub_orchestrator_with_retry(
                "p_fails", df.RetryOptions(1000, 2), None, "fixed-" + context.instance_id
            )
        )
    except Exception as error:
        return str(error)


# -- timers and events


@app.orchestration_trigger(context_name="context")
def p_timer(context):
    began = context.current_utc_datetime
    context.set_custom_status({"phase": 1})
    yield context.create_timer(began + timedelta(seconds=2))
    return (context.current_utc_datetime - began).total_seconds() >= 1.9


@app.orchestration_trigger(context_name="context")
def x_timer_past(context):
    yield context.create_timer(context.current_utc_datetime - timedelta(seconds=5))
    yield context.create_timer(context.current_utc_datetime)
    return "ok"


@app.orchestration_trigger(context_name="context")
def x_timer_long(context):
    yield context.create_timer(context.current_utc_datetime + timedelta(days=10))
    return "never"


@app.orchestration_trigger(context_name="context")
def x_timer_long_cancel(context):
    timer = context.create_timer(context.current_utc_datetime + timedelta(days=10))
    event = context.wait_for_external_event("go")
    winner = yield context.task_any([timer, event])
    timer.cancel()
    value = yield context.call_activity("act", "after-cancel")
    return [winner == event, value]


@app.orchestration_trigger(context_name="context")
def x_timer_uncancelled(context):
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=15))
    activity = context.call_activity("act", "x")
    winner = yield context.task_any([activity, timer])
    return winner == activity


@app.orchestration_trigger(context_name="context")
def p_event_or_timeout(context):
    event = context.wait_for_external_event("go")
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
    winner = yield context.task_any([event, timer])
    if winner != event:
        return "timeout"
    timer.cancel()
    return {"got": event.result, "type": type(event.result).__name__}


@app.orchestration_trigger(context_name="context")
def p_two_events(context):
    first = yield context.wait_for_external_event("e")
    second = yield context.wait_for_external_event("e")
    return [first, second]


@app.orchestration_trigger(context_name="context")
def p_wait(context):
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def p_can(context):
    turn = context.get_input() or 0
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
    activity = context.call_activity("act", [turn, 0])
    yield context.task_any([timer, activity])
    timer.cancel()
    if turn < 3:
        context.continue_as_new(turn + 1)
        return None
    return turn


@app.orchestration_trigger(context_name="context")
def x_can_event(context):
    """Waits for one event of each execution; three in all."""
    seen = context.get_input() or []
    value = yield context.wait_for_external_event("tick")
    seen = [*seen, value]
    if len(seen) < 3:
        context.continue_as_new(seen)
        return None
    return seen


@app.orchestration_trigger(context_name="context")
def x_can_other(context):
    """An event of another name that comes before continue_as_new is lost."""
    if context.get_input() is None:
        yield context.wait_for_external_event("next")
        context.continue_as_new("second")
        return None
    other = context.wait_for_external_event("other")
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=2))
    winner = yield context.task_any([other, timer])
    if winner == other:
        timer.cancel()
        return other.result
    return "lost"


# -- status, results, errors


@app.orchestration_trigger(context_name="context")
def x_custom_status(context):
    context.set_custom_status("one")
    yield context.call_activity("act", 1)
    context.set_custom_status({"two": [2]})
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=3))
    context.set_custom_status(None)
    yield context.call_activity("act", 2)
    context.set_custom_status(7)
    return "done"


@app.orchestration_trigger(context_name="context")
def p_fails(context):
    yield context.call_activity("act", 1)
    raise ValueError("orchestrator says no")


@app.orchestration_trigger(context_name="context")
def x_immediate_fail(context):
    raise KeyError("no yield at all")
    yield


@app.orchestration_trigger(context_name="context")
def p_unhandled(context):
    return (yield context.call_activity("failn", [context.instance_id, 99]))


@app.orchestration_trigger(context_name="context")
def p_rewindable(context):
    first = yield context.call_activity("act", "first")
    second = yield context.call_activity("failn", [context.instance_id, 1])
    return [first, second]


@app.orchestration_trigger(context_name="context")
def p_guid(context):
    first = str(context.new_guid())
    yield context.call_activity("act", first)
    return first != str(context.new_guid())


@app.orchestration_trigger(context_name="context")
def p_noyield(context):
    return {"a": None, "b": [1, "é"]}


@app.orchestration_trigger(context_name="context")
def p_echo(context):
    yield context.call_activity("act", None)
    return context.get_input()


@app.orchestration_trigger(context_name="context")
def p_big(context):
    return len((yield context.call_activity("act", "x" * 100_000)))


@app.orchestration_trigger(context_name="context")
def x_output_types(context):
    yield context.call_activity("act", 1)
    return context.get_input()["v"]


VALUES = (
    *(None, True, False, 0, 1.5, "", "str", "123", "true", "null", '{"a":1}', "2020-01-01T00:00:00Z"),
    *([], [1, "2", None], {}, {"d": "2020-01-01T00:00:00Z", "f": 1.0}, "é\u2028\U0001f600"),
)


@app.orchestration_trigger(context_name="context")
def x_activity_types(context):
    results = []
    for value in VALUES:
        results.append((yield context.call_activity("act", value)))
    return results


@app.orchestration_trigger(context_name="context")
def x_activity_errors(context):
    results = [(yield context.call_activity("act_none", 1))]
    for name, value in [("act_bad", 1), *(("act_exc", kind) for kind in ERRORS)]:
        try:
            results.append((yield context.call_activity(name, value)))
        except Exception as error:
            results.append([type(error).__name__, str(error)])
    return results


@app.orchestration_trigger(context_name="context")
def x_nondeterministic(context):
    calls = count("nd" + context.instance_id)
    yield context.call_activity("act" if calls == 1 else "echo2", 1)
    return calls


@app.orchestration_trigger(context_name="context")
def x_versioned(context):
    yield context.call_activity("act", 1)
    return {"v": context.version, "name": str(context.function_context)}


@app.orchestration_trigger(context_name="context")
def x_unknown_activity(context):
    return (yield context.call_activity("no_such_activity", 1))


@app.orchestration_trigger(context_name="context")
def x_unknown_sub(context):
    return (yield context.call_sub_orchestrator("no_such_orchestrator", 1))


@app.orchestration_trigger(context_name="context")
def x_unknown_entity(context):
    return (yield context.call_entity(df.EntityId("nosuchentity", "k"), "get"))


# -- entities


@app.entity_trigger(context_name="context")
def counter(context):
    value = context.get_state(lambda: 0)
    if context.operation_name == "boom":
        raise ValueError("entity boom")
    if context.operation_name == "add":
        value += context.get_input() or 0
        context.set_state(value)
    context.set_result(value)


@app.entity_trigger(context_name="context")
def store(context):
    operation = context.operation_name
    if operation == "set":
        value = context.get_input()
        context.set_state(value)
        context.set_result(value)
    elif operation == "state":
        context.set_result(context.get_state())
    elif operation == "exists":
        context.set_result([context.entity_name, context.entity_key, context.get_state()])
    elif operation == "destroy":
        context.destruct_on_exit()
    elif operation == "fail_after_set":
        context.set_state("changed")
        raise ValueError("fail after set")


@app.orchestration_trigger(context_name="context")
def p_entity(context):
    entity = df.EntityId("counter", context.instance_id)
    for amount in range(5):
        context.signal_entity(entity, "add", amount)
    total = yield context.call_entity(entity, "add", 100)
    try:
        yield context.call_entity(entity, "boom")
        failure = None
    except Exception as error:
        failure = str(error)
    return [total, failure, (yield context.call_entity(entity, "get"))]


@app.orchestration_trigger(context_name="context")
def x_signal(context):
    entity = df.EntityId("counter", "sig-" + context.instance_id)
    context.signal_entity(entity, "add", 5)
    context.signal_entity(entity, "add", 6)
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=2))
    return (yield context.call_entity(entity, "get"))


@app.orchestration_trigger(context_name="context")
def x_entities_all(context):
    keys = [f"all-{index}-{context.instance_id}" for index in range(3)]
    calls = [context.call_entity(df.EntityId("counter", key), "add", index + 1) for index, key in enumerate(keys)]
    return (yield context.task_all(calls))


@app.orchestration_trigger(context_name="context")
def x_entity_types(context):
    entity = df.EntityId("store", context.instance_id)
    results = []
    for value in ({"a": 1}, "text", 5, [1], None, True):
        results.append((yield context.call_entity(entity, "set", value)))
    for operation in ("state", "destroy", "exists"):
        results.append((yield context.call_entity(entity, operation)))
    return results


# -- call_http


@app.orchestration_trigger(context_name="context")
def p_http(context):
    return (yield context.call_http("GET", f"{OWN_URL}/api/items/7?x=1"))


@app.orchestration_trigger(context_name="context")
def x_http_async(context):
    return (yield context.call_http("GET", f"{URL}/lab/async/{context.instance_id}"))


@app.orchestration_trigger(context_name="context")
def x_http_post(context):
    headers = {"X-One": "1", "Content-Type": "application/json"}
    return (yield context.call_http("POST", f"{URL}/lab/echo?a=1&b=2", content={"k": [1, "é"]}, headers=headers))


@app.orchestration_trigger(context_name="context")
def x_http_text(context):
    return (yield context.call_http("PUT", f"{URL}/lab/echo", content="plain text"))


@app.orchestration_trigger(context_name="context")
def x_http_500(context):
    return (yield context.call_http("GET", f"{URL}/lab/status/500"))


@app.orchestration_trigger(context_name="context")
def x_http_refused(context):
    try:
        return (yield context.call_http("GET", "http://127.0.0.1:9/none"))
    except Exception as error:
        return [type(error).__name__, str(error)]
