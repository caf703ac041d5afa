"""Rewinding a failed history: what failed becomes a blank that the replay skips."""

from local.host.durable.model import events
from local.host.durable.model.events import Event
from local.host.durable.model.records import FAILED


def blank_failures(history: list[Event]) -> list[str]:
    """Blank failed tasks with what scheduled them, failed children's outcomes and the failed end, in place.

    Returns the ids of the failed children: they are to be rewound too, and then report again.
    """
    scheduled = {
        event["EventId"]: index
        for index, event in enumerate(history)
        if event["EventType"] in {events.TASK_SCHEDULED, events.CHILD_CREATED}
    }
    children: list[str] = []
    for index, event in enumerate(list(history)):
        kind = event["EventType"]
        if kind == events.TASK_FAILED:
            _blank(history, scheduled[event["TaskScheduledId"]])
            _blank(history, index)
        elif kind == events.CHILD_FAILED:
            children.append(history[scheduled[event["TaskScheduledId"]]]["InstanceId"])
            _blank(history, index)
        elif kind == events.EXECUTION_COMPLETED and event["OrchestrationStatus"] == FAILED:
            _blank(history, index)
    return children


def _blank(history: list[Event], index: int) -> None:
    event = history[index]
    blank = events.generic(None, event["EventId"], event["Timestamp"])
    blank["IsPlayed"] = event["IsPlayed"]
    history[index] = blank
