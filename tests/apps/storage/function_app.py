"""Storage queues and blobs: triggers, inputs, outputs, poison messages and binding expressions."""

import asyncio
import json
import logging
import typing

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="queue/{queue}", methods=["POST"])
@app.queue_output(arg_name="messages", queue_name="{queue}", connection="Storage")
def put(req: func.HttpRequest, messages: func.Out[typing.List[str]]) -> func.HttpResponse:
    messages.set(req.get_body().decode().split(","))
    return func.HttpResponse(status_code=202)


@app.route(route="text/{queue}", methods=["POST"])
@app.queue_output(arg_name="message", queue_name="{queue}", connection="Storage")
def put_text(req: func.HttpRequest, message: func.Out[str]) -> func.HttpResponse:
    message.set(req.get_body().decode())
    return func.HttpResponse("taken", status_code=202)


@app.route(route="returned/{queue}", methods=["POST"], binding_arg_name="resp")
@app.queue_output(arg_name="$return", queue_name="{queue}", connection="Storage")
def put_returned(req: func.HttpRequest, resp: func.Out[func.HttpResponse]) -> str:
    return req.get_body().decode()


@app.queue_trigger(arg_name="msg", queue_name="orders", connection="Storage")
@app.blob_output(arg_name="receipt", path="receipts/{order}.json", connection="Storage")
def take_order(msg: func.QueueMessage, receipt: func.Out[str]) -> None:
    logging.info("order %s id=%s count=%s", msg.get_body().decode(), msg.id, msg.dequeue_count)
    receipt.set(json.dumps({"taken": msg.get_json()["order"]}))


@app.queue_trigger(arg_name="msg", queue_name="fragile", connection="Storage")
def take_fragile(msg: func.QueueMessage) -> None:
    logging.info("fragile attempt %s", msg.dequeue_count)
    raise ValueError("this message never works")


@app.queue_trigger(arg_name="msg", queue_name="fragile-poison", connection="Storage")
def take_poison(msg: func.QueueMessage) -> None:
    logging.info("poison %s", msg.get_body().decode())


@app.queue_trigger(arg_name="msg", queue_name="in-%STAGE%", connection="Storage")
@app.queue_output(arg_name="$return", queue_name="out-%STAGE%", connection="Storage")
async def forward(msg: func.QueueMessage) -> str:
    return msg.get_body().decode().upper()


@app.queue_trigger(arg_name="msg", queue_name="out-%STAGE%", connection="Storage")
def take_out(msg: func.QueueMessage) -> None:
    logging.info("out %r", msg.get_body().decode())


@app.route(route="blob/{container}/{name}", methods=["GET"])
@app.blob_input(arg_name="content", path="{container}/{name}", connection="Storage", data_type=func.DataType.BINARY)
def get_blob(req: func.HttpRequest, content: func.InputStream) -> func.HttpResponse:
    if content is None:
        return func.HttpResponse(status_code=404)
    return func.HttpResponse(content.read(), mimetype="application/octet-stream")


@app.route(route="text-of/{container}/{name}", methods=["GET"])
@app.blob_input(arg_name="content", path="{container}/{name}", connection="Storage")
def get_text(req: func.HttpRequest, content: str) -> func.HttpResponse:
    return func.HttpResponse(content)


@app.route(route="blob/{container}/{name}", methods=["PUT"])
@app.blob_output(arg_name="content", path="{container}/{name}", connection="Storage")
def put_blob(req: func.HttpRequest, content: func.Out[bytes]) -> func.HttpResponse:
    content.set(req.get_body())
    return func.HttpResponse(status_code=201)


@app.blob_trigger(arg_name="blob", path="uploads/{name}.{extension}", connection="Storage", data_type="binary")
@app.blob_output(arg_name="copy", path="copies/{name}-{rand-guid:N}.{extension}", connection="Storage")
def copy_upload(blob: func.InputStream, copy: func.Out[bytes]) -> None:
    logging.info("upload %s of %s bytes with %s", blob.name, blob.length, blob.metadata)
    logging.info("properties of %s are %s", blob.name, json.dumps(blob.blob_properties))
    copy.set(blob.read())


@app.blob_trigger(arg_name="blob", path="notes/{name}", connection="Storage")
@app.blob_output(arg_name="noted", path="noted/{name}-{size}.txt", connection="Storage")
def take_note(blob: func.InputStream, noted: func.Out[str]) -> None:
    noted.set(blob.name.rpartition("/")[2])


@app.queue_trigger(arg_name="msg", queue_name="slow-%STAGE%", connection="Storage")
async def take_slow(msg: func.QueueMessage) -> None:
    logging.info("slow begins %s", msg.dequeue_count)
    if msg.dequeue_count == 1:
        await asyncio.sleep(60)
    logging.info("slow ends")
