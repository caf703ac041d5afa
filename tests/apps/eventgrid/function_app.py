"""Events of Event Grid in both of its schemas."""

import json
import logging

import azure.functions as func

app = func.FunctionApp()


@app.event_grid_trigger(arg_name="event")
def take(event: func.EventGridEvent) -> None:
    if event.get_json() == "fail":
        raise ValueError("no such event")
    logging.info("took %s", json.dumps([event.id, event.event_type, event.subject, event.get_json()]))


@app.event_grid_trigger(arg_name="event")
@app.blob_output(arg_name="kept", path="events/{data.name}.json", connection="Storage")
def keep(event: func.CloudEvent, kept: func.Out[str]) -> None:
    kept.set(json.dumps([event.id, event.type, event.get_json()]))
