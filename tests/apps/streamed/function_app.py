"""Requests and answers of a web framework, which may stream: the package makes it the mode of the whole app."""

import asyncio

import azure.functions as func
from azurefunctions.extensions.http.fastapi import JSONResponse, Request, StreamingResponse
from fastapi import HTTPException

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
gate = asyncio.Event()


@app.route(route="parts")
async def parts(req: Request) -> StreamingResponse:
    async def produce():
        yield b"first "
        await gate.wait()
        yield b"second"

    return StreamingResponse(produce())


@app.route(route="open/{door}", methods=["POST"])
async def open_gate(req: Request) -> JSONResponse:
    gate.set()
    sizes = [len(chunk) async for chunk in req.stream()]
    return JSONResponse({"door": req.path_params["door"], "query": req.query_params.get("a"), "size": sum(sizes)})


@app.route(route="fails")
def fails(req: Request):
    raise ValueError("no answer")


@app.route(route="untyped/{number:int}")
def untyped(req):
    return {"kind": type(req).__module__.partition(".")[0], "number": req.path_params["number"]}


@app.route(route="refuses")
def refuses(req: Request):
    raise HTTPException(418, "short and stout")


@app.route(route="nothing")
def nothing(req: Request):
    return None


@app.route(route="trace")
async def trace(req: Request, context: func.Context) -> JSONResponse:
    return JSONResponse({"parent": context.trace_context.trace_parent})


@app.route(route="counts", methods=["POST"])
async def counts(req: Request) -> JSONResponse:
    size = 0
    async for chunk in req.stream():
        size += len(chunk)
    return JSONResponse({"size": size})
