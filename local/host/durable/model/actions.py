"""What a turn adds to an execution: work to schedule, and how it ended."""

from dataclasses import dataclass, field
from typing import ClassVar

from local.host.durable.model.events import Event


@dataclass(slots=True)
class ScheduleTask:
    """An activity to run."""

    dotnet_name: ClassVar[str] = "ScheduleTaskOrchestratorAction"
    name: str
    input_text: str | None


@dataclass(slots=True)
class CreateTimer:
    """A timer to set; `fire_at` is ISO text."""

    dotnet_name: ClassVar[str] = "CreateTimerOrchestratorAction"
    fire_at: str


@dataclass(slots=True)
class CreateChild:
    """A sub-orchestration to start."""

    dotnet_name: ClassVar[str] = "CreateSubOrchestrationAction"
    name: str
    version: str | None
    instance_id: str
    input_text: str | None


@dataclass(slots=True)
class SendEvent:
    """An operation for an entity."""

    dotnet_name: ClassVar[str] = "SendEventOrchestratorAction"
    instance_id: str
    input_text: str


NewAction = ScheduleTask | CreateTimer | CreateChild | SendEvent


@dataclass(slots=True)
class Completion:
    """How an execution ended: Completed, Failed, Terminated, or ContinuedAsNew (then `result` is the new input)."""

    event_id: int
    status: str
    result: str | None
    details: str | None = None
    carried: list[Event] = field(default_factory=list[Event])
