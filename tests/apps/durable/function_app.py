"""Durable functions through the host's shell: client, chain, timers, events, entities, names of their own."""

import json
import logging
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
more = df.Blueprint()


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    body = req.get_body()
    instance = await client.start_new(req.route_params["name"], req.params.get("id"), json.loads(body) if body else None)
    return client.create_check_status_response(req, instance)


@app.route(route="wait/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start_and_wait(req: func.HttpRequest, client) -> func.HttpResponse:
    instance = await client.start_new(req.route_params["name"], None, req.get_json())
    return await client.wait_for_completion_or_create_check_status_response(req, instance, 10000, 50)


@app.orchestration_trigger(context_name="context")
def chain(context: df.DurableOrchestrationContext):
    total = 0
    for number in context.get_input():
        total = yield context.call_activity("Add", [total, number])
    return total


@more.activity_trigger(input_name="numbers", activity="Add")
def add_two(numbers: list) -> int:
    logging.info("adding %s", numbers)
    return sum(numbers)


@app.orchestration_trigger(context_name="context")
def approval(context: df.DurableOrchestrationContext):
    approved = context.wait_for_external_event("approved")
    late = context.create_timer(context.current_utc_datetime + timedelta(days=2))
    winner = yield context.task_any([approved, late])
    if winner is late:
        return "escalated"
    late.cancel()
    return "approved"


@app.orchestration_trigger(context_name="context")
def fails(context: df.DurableOrchestrationContext):
    yield context.call_activity("explode", None)


@app.activity_trigger(input_name="nothing")
async def explode(nothing) -> None:
    raise ValueError("the activity says no")


@app.orchestration_trigger(context_name="context")
def count_to(context: df.DurableOrchestrationContext):
    counter = df.EntityId("counter", "main")
    for _ in range(context.get_input()):
        value = yield context.call_entity(counter, "add", 1)
    return value


@app.entity_trigger(context_name="context")
def counter(context: df.DurableEntityContext):
    value = context.get_state(lambda: 0) + context.get_input()
    context.set_state(value)
    context.set_result(value)


@app.orchestration_trigger(context_name="context")
def asks_for_what_is_not_there(context: df.DurableOrchestrationContext):
    yield context.call_activity("no_such_activity", None)


@app.orchestration_trigger(context_name="context")
def calls_out_and_waits(context: df.DurableOrchestrationContext):
    answer = yield context.call_http("GET", context.get_input())
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    return answer["content"]


app.register_functions(more)
