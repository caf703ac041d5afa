"""What the task hub holds: instances with their histories, messages to them, activities and timers under way."""

from dataclasses import dataclass, field

from local.host.durable.model.events import Event

PENDING = "Pending"
RUNNING = "Running"
SUSPENDED = "Suspended"
COMPLETED = "Completed"
FAILED = "Failed"
TERMINATED = "Terminated"
CONTINUED_AS_NEW = "ContinuedAsNew"
CANCELED = "Canceled"
"""Known to the API; nothing here has it."""
STATUSES = frozenset({PENDING, RUNNING, SUSPENDED, COMPLETED, FAILED, TERMINATED, CONTINUED_AS_NEW, CANCELED})
FINISHED = frozenset({COMPLETED, FAILED, TERMINATED})


@dataclass(slots=True)
class Message:
    """An event on its way into an instance. Without an execution id it is for whatever execution is there.

    `number` names the row in the inbox that the turn consumes, `timer` the row among the timers. `expected` marks an
    outcome that was already counted for its orchestration (see Instances.can_wait).
    """

    instance_id: str
    execution_id: str | None
    event: Event
    number: int | None = None
    timer: int | None = None
    expected: bool = False


@dataclass(slots=True)
class Activity:
    """An activity to run, at least once, until its outcome is committed."""

    number: int
    instance_id: str
    execution_id: str
    event_id: int
    name: str
    input_text: str | None


@dataclass(slots=True)
class Timer:
    """A message to be delivered when its time has come: TimerFired, or a signal that was sent for later."""

    number: int
    instance_id: str
    execution_id: str | None
    fire_at: str
    event: Event


@dataclass(slots=True)
class Instance:
    """One orchestration, or one entity (named by its id; its input then is its state, see entities.py).

    `history` is the current execution's; `texts` are the same events as JSON, flags as the next episode sees them.
    `fresh` marks a history that nothing was run over yet (continue-as-new). `None` for both: not loaded.
    """

    instance_id: str
    execution_id: str
    name: str
    version: str | None
    input_text: str | None
    created: str
    updated: str
    generation: int | None = 0
    parent_instance_id: str | None = None
    status: str = PENDING
    output: str | None = None
    custom_status: str | None = None
    fresh: bool = False
    notes: list[str] = field(default_factory=list[str])
    history: list[Event] | None = None
    texts: list[str] | None = None

    @property
    def finished(self) -> bool:
        return self.status in FINISHED

    @property
    def is_entity(self) -> bool:
        """An entity is named by its id; an orchestration's id may also start with @, but not its name."""
        return self.name == self.instance_id and self.name.startswith("@")
