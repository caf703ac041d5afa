"""Types of the azurefunctions-extensions packages: streamed requests and answers, and clients of the storage SDK."""

import asyncio
import logging

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob
from azurefunctions.extensions.http.fastapi import JSONResponse, Request, StreamingResponse

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


@app.route(route="plain")
def plain(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("plain")


@app.route(route="names")
@app.blob_input(arg_name="container", path="clients", connection="Storage")
def names(req: func.HttpRequest, container: blob.ContainerClient) -> func.HttpResponse:
    return func.HttpResponse(",".join(one.name for one in container.list_blobs()))


@app.blob_trigger(arg_name="client", path="clients/{name}", connection="Storage")
def uploaded(client: blob.BlobClient) -> None:
    logging.info("uploaded %s: %s", client.blob_name, client.download_blob().readall())
