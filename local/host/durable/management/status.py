"""Instances and entities as the management API shows them."""

import json
from typing import Any

from local.host.durable.model import dotnet, entities, events
from local.host.durable.model.events import Event
from local.host.durable.model.records import Instance


class HistoryUnreadable(ValueError):
    """The history holds one sequence number twice (after a non-deterministic change), and the extension gives up."""


def shown(instance: Instance, *, show_input: bool, history: list[Event] | None, show_output: bool) -> dict[str, Any]:
    """The status object; `history` None leaves historyEvents out. Raises HistoryUnreadable."""
    answer: dict[str, Any] = {
        "name": instance.name,
        "instanceId": instance.instance_id,
        "runtimeStatus": instance.status,
        "input": _value(instance.input_text) if show_input else None,
        "customStatus": _value(instance.custom_status),
        "output": _value(instance.output),
        "createdTime": dotnet.seconds(instance.created),
        "lastUpdatedTime": dotnet.seconds(instance.updated),
    }
    if history:
        answer["historyEvents"] = _history_events(history, show_output=show_output)
    return answer


def shown_entity(entity: Instance, *, fetch_state: bool) -> dict[str, Any]:
    """An entity in a list of them."""
    name, key = entities.split_id(entity.instance_id)
    state = entities.state_of(entity)[1] if fetch_state else None
    return {
        "entityId": {"name": name, "key": key},
        "lastOperationTime": entity.updated,
        "state": json.loads(state) if state else None,
    }


def _value(text: str | None) -> Any:
    """JSON, or the text itself when it is none (a reason, an error)."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


_HIDDEN = frozenset(
    {"EventId", "IsPlayed", "Version", "TaskScheduledId", "TimerId", "OrchestrationInstance", "ParentInstance"}
)


def _history_events(history: list[Event], *, show_output: bool) -> list[dict[str, Any]]:
    scheduled: dict[int, tuple[Event, int]] = {}
    answer: list[dict[str, Any] | None] = []
    for event in history:
        kind = event["EventType"]
        if kind in (events.ORCHESTRATOR_STARTED, events.ORCHESTRATOR_COMPLETED):
            continue
        one = {key: value for key, value in event.items() if key not in _HIDDEN}
        one["EventType"] = events.NAMES[kind]
        if kind in (events.TASK_SCHEDULED, events.CHILD_CREATED):
            if event["EventId"] in scheduled:
                key = f"{events.NAMES[kind]}_{event['EventId']}"
                raise HistoryUnreadable(f"An item with the same key has already been added. Key: {key}")
            scheduled[event["EventId"]] = (event, len(answer))
        elif kind == events.EXECUTION_STARTED:
            del one["Tags"]
            one["FunctionName"] = one.pop("Name")
        elif kind in (events.TASK_COMPLETED, events.TASK_FAILED, events.CHILD_COMPLETED, events.CHILD_FAILED):
            _merge(one, event, scheduled, answer)
        if "Result" in one:
            if show_output:
                one["Result"] = _value(one["Result"])
            else:
                del one["Result"]
        answer.append(one)
    return [one for one in answer if one is not None]


def _merge(
    one: dict[str, Any],
    event: Event,
    scheduled: dict[int, tuple[Event, int]],
    answer: list[dict[str, Any] | None],
) -> None:
    found = scheduled.get(event["TaskScheduledId"])
    if found is None:
        return
    start, place = found
    one["ScheduledTime"] = start["Timestamp"].removesuffix("Z") + "+00:00"
    one["FunctionName"] = start["Name"]
    if start["EventType"] == events.CHILD_CREATED:
        one["InstanceId"] = start["InstanceId"]
    one["Input"] = _value(start["Input"])
    answer[place] = None
