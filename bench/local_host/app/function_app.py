"""The app of the benchmark `orchestrations`: a fan-out, a chain, and an HTTP function that answers at once."""

# Written as an app is: the durable SDK ships no types.
# pyright: basic

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="hello", methods=["GET"])
async def hello(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - what a trigger must look like
    return func.HttpResponse("hello")


@app.activity_trigger(input_name="number")
def act(number: int) -> int:
    return number


@app.orchestration_trigger(context_name="context")
def fan_out(context):
    width = context.get_input()
    return sum((yield context.task_all([context.call_activity("act", number) for number in range(width)])))


@app.orchestration_trigger(context_name="context")
def chain(context):
    total = 0
    for number in range(context.get_input()):
        total += yield context.call_activity("act", number)
    return total
