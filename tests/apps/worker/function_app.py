"""What the worker gives to functions: context, threads, retries, time limits, logs."""

import asyncio
import json
import logging
import threading
import time

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
together = threading.Barrier(3, timeout=5)
attempts = {}


def answer(value) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(value), mimetype="application/json")


@app.route(route="context")
def show_context(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return answer(
        {
            "invocation_id": context.invocation_id,
            "function_name": context.function_name,
            "function_directory": context.function_directory,
            "trace_parent": context.trace_context.trace_parent,
            "old_trace_parent": context.trace_context.Traceparent,
            "retry": [context.retry_context.retry_count, context.retry_context.max_retry_count],
            "thread": threading.current_thread().name,
            "local": context.thread_local_storage.invocation_id,
        }
    )


@app.route(route="meet")
def meet(req: func.HttpRequest) -> func.HttpResponse:
    try:
        together.wait()
    except threading.BrokenBarrierError:
        return func.HttpResponse("alone", status_code=409)
    return func.HttpResponse("met")


@app.route(route="sleep/{seconds}")
async def sleep_async(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse(threading.current_thread().name)


@app.route(route="block/{seconds}")
def sleep_thread(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse("slept")


@app.route(route="retried")
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:00")
def retried(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    seen = attempts.setdefault(req.params["key"], [])
    seen.append(
        [context.retry_context.retry_count, context.retry_context.max_retry_count]
    )
    seen[-1] += [context.retry_context.rpc_exception.message, hasattr(context.retry_context, "exception")]
    if len(seen) <= int(req.params["failures"]):
        raise ValueError(f"attempt {len(seen)}")
    return answer(seen)


@app.route(route="logs")
def write_logs(req: func.HttpRequest) -> func.HttpResponse:
    logging.debug("a debug line")
    logging.info("an information line")
    logging.getLogger("my.library").warning("a warning line")
    logging.getLogger("azure.functions.something").info("a system line")
    return func.HttpResponse("ok")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
def returns_too_much(timer: func.TimerRequest):
    return "nobody asked"


@app.function_name("Renamed-1")
@app.route(route="renamed")
def original(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("renamed")


@app.route(route="thread-logs")
def log_from_thread(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    def work(mine: bool) -> None:
        if mine:
            context.thread_local_storage.invocation_id = context.invocation_id
        logging.info("from a thread that says whose it is: %s", mine)

    for mine in (True, False):
        thread = threading.Thread(target=work, args=(mine,))
        thread.start()
        thread.join()
    return func.HttpResponse("ok")


@app.route(route="pool-logs")
async def log_from_pool(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    def work(mine: bool) -> None:
        if mine:
            context.thread_local_storage.invocation_id = context.invocation_id
        logging.info("from the pool, which says whose it is: %s", mine)

    for mine in (False, True):
        await asyncio.to_thread(work, mine)
    await asyncio.create_task(log_later())
    return func.HttpResponse("ok")


async def log_later() -> None:
    logging.info("from a task of the function")


@app.warm_up_trigger(arg_name="warm")
def warm(warm) -> None:
    logging.info("warm")
