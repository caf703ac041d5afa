"""Functions that end in ways no function should, but some do."""

import asyncio
from http import HTTPStatus

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class NoException(BaseException):
    pass


KINDS = {
    "base": NoException,
    "interrupt": KeyboardInterrupt,
    "exit": SystemExit,
    "generator": GeneratorExit,
    "cancelled": asyncio.CancelledError,
    "unprintable": Unprintable,
}


@app.route(route="plain/{kind}")
def plain(req: func.HttpRequest) -> func.HttpResponse:
    raise KINDS[req.route_params["kind"]]


@app.route(route="async/{kind}")
async def on_the_loop(req: func.HttpRequest) -> func.HttpResponse:
    raise KINDS[req.route_params["kind"]]


@app.route(route="status/{code}")
def status(req: func.HttpRequest) -> func.HttpResponse:
    code = req.route_params["code"]
    return func.HttpResponse("x", status_code=HTTPStatus.CREATED if code == "enum" else int(code))


@app.generic_trigger(arg_name="req", type="httpTrigger", route="generic", methods="get", authLevel="anonymous")
@app.generic_output_binding(arg_name="$return", type="http")
def generic(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("generic")


@app.orchestration_trigger(context_name="context")
def catches(context: df.DurableOrchestrationContext):
    try:
        yield context.call_activity("raises", context.get_input())
    except Exception as error:
        return str(error).partition("\n")[0].strip()
    return "nothing raised"


@app.orchestration_trigger(context_name="context")
def gives_up(context: df.DurableOrchestrationContext):
    yield context.call_activity("works", None)
    raise KINDS[context.get_input()]


@app.orchestration_trigger(context_name="context")
def lets_fail(context: df.DurableOrchestrationContext):
    yield context.call_activity("raises", context.get_input())


@app.activity_trigger(input_name="nothing")
def works(nothing: None) -> None:
    return nothing


@app.activity_trigger(input_name="kind")
def raises(kind: str) -> str:
    raise KINDS[kind]
