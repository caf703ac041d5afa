"""Rewinding a failed orchestration: what failed becomes a blank that the replay skips, and it runs on."""

from local.host.durable.model import dotnet, events
from local.host.durable.model.events import Event
from local.host.durable.model.records import FAILED, PENDING, Instance, Message
from local.host.durable.taskhub.instances import Instances


def rewind(instances: Instances, failed: Instance, reason: str | None) -> None:
    """Undo what failed in the orchestration and in its failed children, and run on from there."""
    rewound: list[Instance] = []
    leaves: list[Instance] = []
    _collect(instances, failed, rewound, leaves)
    at = instances.now_text()
    hub = instances.hub
    messages = [
        Message(one.instance_id, one.execution_id, events.generic(reason, -1, at), hub.number()) for one in leaves
    ]
    with hub.transaction():
        for one in rewound:
            hub.clear_history(one.instance_id)
            hub.append_history(one.instance_id, 0, one.texts or [])
            hub.save_instance(one)
        hub.add_messages(messages)
    for one in rewound:
        instances.adopt(one)
    instances.post(messages)


def _collect(instances: Instances, instance: Instance, rewound: list[Instance], leaves: list[Instance]) -> None:
    """Rewind copies, as they stand in the hub; none of them is in motion before the commit."""
    history = instances.load_history(instance)
    failed_children = [
        child for child in map(instances.state, blank_failures(history)) if child is not None and child.status == FAILED
    ]
    instance.texts = [dotnet.to_json(event) for event in history]
    instance.status = PENDING
    rewound.append(instance)
    for child in failed_children:
        if all(child.instance_id != one.instance_id for one in rewound):
            _collect(instances, child, rewound, leaves)
    if not failed_children:
        leaves.append(instance)


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
