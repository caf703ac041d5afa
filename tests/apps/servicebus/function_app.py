"""Service Bus queues: a trigger for each kind of outcome, a batch, and outputs."""

import json
import logging
import typing
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
attempts = Path("attempts.txt")


@app.route(route="send/{queue}", methods=["POST"])
@app.service_bus_queue_output(arg_name="message", queue_name="{queue}", connection="Bus")
def send(req: func.HttpRequest, message: func.Out[str]) -> func.HttpResponse:
    body = req.get_body()
    message.set(body if "raw" in req.params else body.decode())
    return func.HttpResponse(status_code=202)


@app.service_bus_queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%", connection="Bus")
def work(msg: func.ServiceBusMessage) -> None:
    logging.info(
        "work %s",
        json.dumps(
            {
                "body": msg.get_body().decode(),
                "id": msg.message_id,
                "delivery": msg.delivery_count,
                "properties": msg.application_properties,
                "subject": msg.subject,
                "enqueued": msg.enqueued_time_utc is not None,
                "type": msg.content_type,
            }
        ),
    )


@app.service_bus_queue_trigger(arg_name="msg", queue_name="fragile", connection="Bus")
async def fragile(msg: func.ServiceBusMessage) -> None:
    logging.info("fragile delivery %s", msg.delivery_count)
    if msg.get_body() == b"never":
        raise ValueError("this message never works")
    if msg.delivery_count < 2:
        raise ValueError("works the second time")


@app.service_bus_queue_trigger(arg_name="msgs", queue_name="many", connection="Bus", cardinality="many")
def many(msgs: typing.List[func.ServiceBusMessage]) -> None:
    logging.info("many %s", json.dumps([one.get_body().decode() for one in msgs]))
