"""History events: plain dicts whose keys stand in the order in which the extension writes them (3.19.0)."""

from typing import Any, Final

Event = dict[str, Any]

EXECUTION_STARTED: Final = 0
EXECUTION_COMPLETED: Final = 1
EXECUTION_TERMINATED: Final = 3
TASK_SCHEDULED: Final = 4
TASK_COMPLETED: Final = 5
TASK_FAILED: Final = 6
CHILD_CREATED: Final = 7
CHILD_COMPLETED: Final = 8
CHILD_FAILED: Final = 9
TIMER_CREATED: Final = 10
TIMER_FIRED: Final = 11
ORCHESTRATOR_STARTED: Final = 12
ORCHESTRATOR_COMPLETED: Final = 13
EVENT_SENT: Final = 14
EVENT_RAISED: Final = 15
GENERIC: Final = 17
SUSPENDED: Final = 19
RESUMED: Final = 20

# The name of the event that carries an operation to an entity.
OPERATION: Final = "op"

NAMES: Final = {
    EXECUTION_STARTED: "ExecutionStarted",
    EXECUTION_COMPLETED: "ExecutionCompleted",
    EXECUTION_TERMINATED: "ExecutionTerminated",
    TASK_SCHEDULED: "TaskScheduled",
    TASK_COMPLETED: "TaskCompleted",
    TASK_FAILED: "TaskFailed",
    CHILD_CREATED: "SubOrchestrationInstanceCreated",
    CHILD_COMPLETED: "SubOrchestrationInstanceCompleted",
    CHILD_FAILED: "SubOrchestrationInstanceFailed",
    TIMER_CREATED: "TimerCreated",
    TIMER_FIRED: "TimerFired",
    ORCHESTRATOR_STARTED: "OrchestratorStarted",
    ORCHESTRATOR_COMPLETED: "OrchestratorCompleted",
    EVENT_SENT: "EventSent",
    EVENT_RAISED: "EventRaised",
    GENERIC: "GenericEvent",
    SUSPENDED: "ExecutionSuspended",
    RESUMED: "ExecutionResumed",
}


def _tail(event: Event, event_id: int, at: str) -> Event:
    event["EventId"] = event_id
    event["IsPlayed"] = False
    event["Timestamp"] = at
    return event


def execution_started(
    *,
    instance_id: str,
    execution_id: str,
    name: str,
    version: str | None,
    input_text: str | None,
    parent: dict[str, Any] | None,
    generation: int | None,
    at: str,
) -> Event:
    """The first event of an execution. `input_text` is JSON; `generation` is None for children and continuations."""
    return _tail(
        {
            "OrchestrationInstance": {"InstanceId": instance_id, "ExecutionId": execution_id},
            "EventType": EXECUTION_STARTED,
            "ParentInstance": parent,
            "Name": name,
            "Version": version,
            "Input": input_text,
            "Tags": None,
            "Correlation": None,
            "ParentTraceContext": None,
            "ScheduledStartTime": None,
            "Generation": generation,
            "GenerateNewTrace": False,
        },
        -1,
        at,
    )


def execution_completed(event_id: int, status: str, result: str | None, at: str) -> Event:
    """The end of an execution, `status` one of Completed, Failed, Terminated."""
    event = {
        "EventType": EXECUTION_COMPLETED,
        "OrchestrationStatus": status,
        "Result": result,
        "FailureDetails": None,
    }
    return _tail(event, event_id, at)


def task_scheduled(event_id: int, name: str, at: str, *, input_text: str | None = None) -> Event:
    """The input is kept in the history only with storeInputsInOrchestrationHistory."""
    event = {
        "EventType": TASK_SCHEDULED,
        "Name": name,
        "Version": "",
        "Input": input_text,
        "ParentTraceContext": None,
        "Tags": None,
    }
    return _tail(event, event_id, at)


def task_completed(scheduled_id: int, result: str | None, at: str) -> Event:
    return _tail({"EventType": TASK_COMPLETED, "TaskScheduledId": scheduled_id, "Result": result}, -1, at)


def task_failed(scheduled_id: int, reason: str, details: str | None, at: str) -> Event:
    return _failed(TASK_FAILED, scheduled_id, reason, details, at)


def child_created(
    event_id: int, name: str, version: str | None, instance_id: str, at: str, *, input_text: str | None = None
) -> Event:
    event = {
        "EventType": CHILD_CREATED,
        "Name": name,
        "Version": version,
        "InstanceId": instance_id,
        "Input": input_text,
        "ClientSpanId": None,
        "Tags": None,
    }
    return _tail(event, event_id, at)


def child_completed(scheduled_id: int, result: str | None, at: str) -> Event:
    return _tail({"EventType": CHILD_COMPLETED, "TaskScheduledId": scheduled_id, "Result": result}, -1, at)


def child_failed(scheduled_id: int, reason: str | None, details: str | None, at: str) -> Event:
    return _failed(CHILD_FAILED, scheduled_id, reason, details, at)


def _failed(kind: int, scheduled_id: int, reason: str | None, details: str | None, at: str) -> Event:
    event = {
        "EventType": kind,
        "TaskScheduledId": scheduled_id,
        "Reason": reason,
        "Details": details,
        "FailureDetails": None,
    }
    return _tail(event, -1, at)


def timer_created(event_id: int, fire_at: str, at: str) -> Event:
    return _tail({"EventType": TIMER_CREATED, "FireAt": fire_at}, event_id, at)


def timer_fired(timer_id: int, fire_at: str, at: str) -> Event:
    """`at` is when the timer was made: only the OrchestratorStarted before the event tells when it fired."""
    return _tail({"EventType": TIMER_FIRED, "TimerId": timer_id, "FireAt": fire_at}, -1, at)


def event_sent(event_id: int, instance_id: str, name: str, input_text: str, at: str) -> Event:
    event = {"EventType": EVENT_SENT, "InstanceId": instance_id, "Name": name, "Input": input_text}
    return _tail(event, event_id, at)


def event_raised(name: str, input_text: str | None, at: str) -> Event:
    event = {"EventType": EVENT_RAISED, "Name": name, "Input": input_text, "ParentTraceContext": None}
    return _tail(event, -1, at)


def generic(data: str | None, event_id: int, at: str) -> Event:
    """What a rewind leaves where a failed row stood, and the message that starts the instance again."""
    return _tail({"Data": data, "EventType": GENERIC}, event_id, at)


def orchestrator_started(at: str) -> Event:
    return _tail({"EventType": ORCHESTRATOR_STARTED}, -1, at)


def orchestrator_completed(at: str) -> Event:
    return _tail({"EventType": ORCHESTRATOR_COMPLETED}, -1, at)


def terminated(reason: str | None, at: str) -> Event:
    return _tail({"EventType": EXECUTION_TERMINATED, "Input": reason}, -1, at)


def suspended(reason: str | None, at: str) -> Event:
    return _tail({"EventType": SUSPENDED, "Reason": reason}, -1, at)


def resumed(reason: str | None, at: str) -> Event:
    return _tail({"EventType": RESUMED, "Reason": reason}, -1, at)
