"""What the history says was scheduled must be what the replay scheduled, under the same numbers.

The texts are those of the Durable Task Framework; the one for another activity's name is recorded.
"""

from typing import Any

from local.host.durable.model.actions import CreateChild, CreateTimer, NewAction, ScheduleTask, SendEvent
from local.host.durable.model.events import Event
from local.host.durable.replay.tasks import NonDeterminism

_CHANGED = "Was a change made to the orchestrator code after this instance had already started running?"
Actions = dict[int, NewAction]


def _find(actions: Actions, event: Event, wanted: type[Any], what: str) -> Any:
    action = actions.get(event["EventId"])
    if action is None:
        raise NonDeterminism(
            f"A previous execution of this orchestration scheduled {what}, but the current replay execution hasn't "
            f"(yet?) scheduled this task. {_CHANGED}"
        )
    if not isinstance(action, wanted):
        raise NonDeterminism(
            f"A previous execution of this orchestration scheduled {what}, but the current orchestration replay "
            f"instead produced a {action.dotnet_name} action with this sequence number. {_CHANGED}"
        )
    return action


def confirm_task(actions: Actions, event: Event) -> None:
    """Strike the activity off what is new. Raises NonDeterminism, and leaves it, when it is another."""
    number, name = event["EventId"], event["Name"]
    action = actions.get(number)
    if not isinstance(action, ScheduleTask) or action.name != name:
        what = f"an activity task with sequence number {number} named '{name}'"
        found = _find(actions, event, ScheduleTask, what)
        if found.name.lower() != name.lower():
            raise NonDeterminism(
                f"A previous execution of this orchestration scheduled {what}, but the current orchestration replay "
                f"instead scheduled an activity task named '{found.name}' with this sequence number.  {_CHANGED}"
            )
    del actions[number]


def confirm_timer(actions: Actions, event: Event) -> None:
    """Strike the timer off what is new. Raises NonDeterminism when it is something else."""
    _find(actions, event, CreateTimer, f"a timer task with sequence number {event['EventId']}")
    del actions[event["EventId"]]


def confirm_child(actions: Actions, event: Event) -> None:
    """Strike the sub-orchestration off what is new. Raises NonDeterminism when it is another."""
    what = (
        f"a sub-orchestration task with sequence ID {event['EventId']} and name '{event['Name']}' (version "
        f"'{event['Version'] or ''}', instance ID '{event['InstanceId']}')"
    )
    action = _find(actions, event, CreateChild, what)
    if action.name.lower() != event["Name"].lower():
        raise NonDeterminism(
            f"A previous execution of this orchestration scheduled {what}, but the current orchestration replay "
            f"instead scheduled a sub-orchestration task with name '{action.name}' at this sequence number. {_CHANGED}"
        )
    del actions[event["EventId"]]


def confirm_sent(actions: Actions, event: Event) -> None:
    """Strike the message to an entity off what is new. Raises NonDeterminism when it is something else."""
    what = f"a send event task with sequence number {event['EventId']} to instance '{event['InstanceId']}'"
    _find(actions, event, SendEvent, what)
    del actions[event["EventId"]]
