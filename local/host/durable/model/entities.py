"""Entities: the batch that an entity function gets, and what its answer changes. No I/O.

An entity's state is kept, as in the extension, as the input of an orchestration that is named by its id:
`{"exists": true, "state": "<JSON text>", "sorter": {}}`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from local.host.durable.model import dotnet, events
from local.host.durable.model.events import Event
from local.host.durable.model.records import RUNNING, Instance, Message

_RESPONSE_TYPE = (
    "Microsoft.Azure.WebJobs.Extensions.DurableTask.ResponseMessage, Microsoft.Azure.WebJobs.Extensions.DurableTask"
)
_REQUEST_TYPE = (
    "Microsoft.Azure.WebJobs.Extensions.DurableTask.RequestMessage, Microsoft.Azure.WebJobs.Extensions.DurableTask"
)


def entity_id(name: str, key: str) -> str:
    """An entity's instance id: names are lower-cased, keys keep their case."""
    return f"@{name.lower()}@{key}"


def split_id(instance_id: str) -> tuple[str, str]:
    """Name and key of an entity's instance id."""
    name, _, key = instance_id[1:].partition("@")
    return name, key


def new_entity(instance_id: str, execution_id: str, at: str) -> Instance:
    """An entity that never ran."""
    return Instance(
        instance_id,
        execution_id,
        instance_id,
        None,
        None,
        at,
        at,
        generation=None,
        status=RUNNING,
        history=[],
        texts=[],
    )


def state_of(entity: Instance) -> tuple[bool, str | None]:
    """Whether the SDK last said that the entity exists, and its state as JSON text."""
    kept: dict[str, Any] = json.loads(entity.input_text) if entity.input_text else {}
    return bool(kept.get("exists")), kept.get("state")


def client_signal(operation: str, input_text: str | None, at: str) -> str:
    """The request message of a signal sent by a client."""
    message: dict[str, Any] = {"$type": _REQUEST_TYPE, "op": operation, "signal": True}
    if input_text is not None:
        message["input"] = input_text
    message["id"] = str(uuid4())
    message |= {"Timestamp": at, "Predecessor": "0001-01-01T00:00:00", "requestTime": at.removesuffix("Z") + "+00:00"}
    return dotnet.to_json(message)


@dataclass(slots=True)
class Reply:
    """The answer to one call, for the caller's execution; `request_id` is the name of the event."""

    instance_id: str
    execution_id: str | None
    request_id: str
    text: str


@dataclass(slots=True)
class Signal:
    """A signal that an entity sent to another."""

    instance_id: str
    text: str


@dataclass(slots=True)
class BatchOutcome:
    """What a batch changes."""

    input_text: str
    custom_status: str
    replies: list[Reply] = field(default_factory=list[Reply])
    signals: list[Signal] = field(default_factory=list[Signal])
    failures: list[str] = field(default_factory=list[str])


def requests_of(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The operations among an entity's messages; lock releases and strangers are left out."""
    found: list[dict[str, Any]] = []
    for message in messages:
        event: Event = message.event
        if event["Name"] == events.OPERATION:
            found.append(json.loads(event["Input"]))
    return found


def callers(messages: Iterable[Message]) -> set[str]:
    """The orchestrations that wait for an operation among the messages."""
    return {one["parent"] for one in requests_of(messages) if "parent" in one and not one.get("signal")}


def context(entity: Instance, requests: list[dict[str, Any]]) -> str:
    """The entity function's context: self, exists, state and the batch, in the extension's order."""
    name, key = split_id(entity.instance_id)
    exists, state = state_of(entity)
    batch = [
        {
            "name": request["op"],
            "input": request.get("input"),
            "isSignal": bool(request.get("signal")),
            "id": request["id"],
        }
        for request in requests
    ]
    return dotnet.to_json({"self": {"name": name, "key": key}, "exists": exists, "state": state, "batch": batch})


def finish(requests: list[dict[str, Any]], answer: str, at: str) -> BatchOutcome:
    """What the SDK's answer comes to. A failed operation does not undo what it set. Raises ValueError if malformed."""
    try:
        parsed = json.loads(answer)
        results: list[dict[str, Any]] = parsed["results"]
        exists, state = bool(parsed["entityExists"]), parsed.get("entityState")
        signals: list[dict[str, Any]] = parsed.get("signals") or []
    except (TypeError, KeyError) as error:
        raise ValueError(f"The entity function's answer is not the SDK's: {error}") from error
    outcome = _keep(exists, state)
    for request, result in zip(requests, results, strict=False):
        if result.get("isError"):
            outcome.failures.append(f"{request['op']}: {result.get('result')}")
        _reply(outcome, request, result.get("result"), "Error" if result.get("isError") else None)
    for signal in signals:
        target = signal["target"]
        text = client_signal(signal["name"], signal.get("input"), at)
        outcome.signals.append(Signal(entity_id(target["name"], target["key"]), text))
    return outcome


def finish_failed(entity: Instance, requests: list[dict[str, Any]], error: str) -> BatchOutcome:
    """The entity function itself failed outside any operation: every caller gets the error, the state stays."""
    outcome = _keep(*state_of(entity))
    for request in requests:
        _reply(outcome, request, dotnet.to_json(error), "Error")
        outcome.failures.append(f"{request['op']}: {error}")
    return outcome


def _keep(exists: bool, state: str | None) -> BatchOutcome:
    kept: dict[str, Any] = {}
    if exists:
        kept["exists"] = True
    if state is not None:
        kept["state"] = state
    kept["sorter"] = {}
    return BatchOutcome(dotnet.to_json(kept), dotnet.to_json({"entityExists": True} if exists else {}))


def _reply(outcome: BatchOutcome, request: dict[str, Any], result: str | None, exception_type: str | None) -> None:
    if request.get("signal") or not request.get("parent"):
        return
    message: dict[str, Any] = {"$type": _RESPONSE_TYPE, "result": result}
    if exception_type:
        message["exceptionType"] = exception_type
    text = dotnet.to_json(message)
    outcome.replies.append(Reply(request["parent"], request.get("parentExecution"), request["id"], text))
