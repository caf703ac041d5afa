"""One execution's replay, as the Durable Task Framework does it.

History events drive tasks; what is scheduled and not yet in the history is what the turn adds. The rules and the texts
are those of TaskOrchestrationContext and TaskOrchestrationExecutor (facts in docs/local-host-deviations.md).
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from local.host.durable.model import events
from local.host.durable.model.actions import Completion, CreateChild, CreateTimer, NewAction, ScheduleTask, SendEvent
from local.host.durable.model.events import Event
from local.host.durable.model.records import COMPLETED, CONTINUED_AS_NEW, FAILED, TERMINATED
from local.host.durable.replay import determinism
from local.host.durable.replay.operation_requests import OperationRequests
from local.host.durable.replay.tasks import NonDeterminism, OrchestrationFailed, Task, TaskFault, drive


class _EventWait:
    __slots__ = ("name", "next", "task")

    def __init__(self, name: str, task: Task, older: "_EventWait | None") -> None:
        self.name = name
        self.task = task
        self.next = older


class Replay:
    """Replays one execution's history over the player of the SDK's answer and collects what is new."""

    def __init__(self, play: Callable[["Replay"], Awaitable[str | None]]) -> None:
        self._play = play
        self.new_actions: dict[int, NewAction] = {}
        self.open_tasks: dict[int, Task] = {}
        self.completion: Completion | None = None
        self.continue_input: str | None = None
        self.continues = False
        self.suspended = False
        self.instance_id = ""
        self.execution_id = ""
        self.name = ""
        self.parent_instance_id: str | None = None
        self.current_time = ""
        self.notes: list[str] = []
        self._next_id = 0
        self._scheduled: dict[int, NewAction] = {}
        self._result: Task | None = None
        self._output: str | None = None
        self._held_actions: dict[int, NewAction] = {}
        self._held_events: deque[Event] = deque()
        self._carried: list[Event] = []
        self._waits: dict[str, _EventWait] = {}
        self._buffered: dict[str, deque[Event]] = {}
        self._operations = OperationRequests()
        self._handlers: dict[int, Callable[[Event], None]] = {
            events.EXECUTION_STARTED: self._start,
            events.EXECUTION_TERMINATED: self._terminate,
            events.TASK_SCHEDULED: lambda event: determinism.confirm_task(self.new_actions, event),
            events.TASK_COMPLETED: self._task_completed,
            events.TASK_FAILED: self._task_failed,
            events.CHILD_CREATED: lambda event: determinism.confirm_child(self.new_actions, event),
            events.CHILD_COMPLETED: self._task_completed,
            events.CHILD_FAILED: self._task_failed,
            events.TIMER_CREATED: lambda event: determinism.confirm_timer(self.new_actions, event),
            events.TIMER_FIRED: self._timer_fired,
            events.EVENT_SENT: lambda event: determinism.confirm_sent(self.new_actions, event),
            events.EVENT_RAISED: self._event_raised,
            events.SUSPENDED: self._suspend,
            events.RESUMED: self._resume,
        }

    # -- running

    def run(self, past: Iterable[Event], new: Iterable[Event]) -> None:
        """Process the history; afterwards `new_actions` and `completion` say what the turn adds."""
        try:
            for event in past:
                self._process(event)
            for event in new:
                self._process(event)
        except NonDeterminism as failure:
            self._complete(FAILED, failure.reason, failure.details)
            return
        result = self._result
        if result is None or not result.done or self.open_tasks:
            return
        if isinstance(result.fault, OrchestrationFailed):
            self._complete(FAILED, result.fault.reason, result.fault.details)
        elif self.continues:
            self._complete(CONTINUED_AS_NEW, self.continue_input, None)
        else:
            self._complete(COMPLETED, self._output, None)
        if self._held_actions:
            self.notes.append(
                f"It ended in the very turn in which it was suspended: {len(self._held_actions)} actions that it had "
                "scheduled in that turn are lost in silence, here as in Azure. Suspend orchestrations that await "
                "something long."
            )

    @property
    def open_actions(self) -> list[NewAction]:
        """What was scheduled, now or before, and has no outcome yet, in its order."""
        return [self._scheduled[event_id] for event_id in sorted(self.open_tasks)]

    @property
    def waits(self) -> bool:
        """Whether anything is still to come that would call the orchestrator again."""
        return bool(self.open_tasks or self._waits)

    @property
    def awaited_events(self) -> list[str]:
        """Names of events that are awaited."""
        return [wait.name for wait in self._waits.values()]

    @property
    def lost_events(self) -> list[str]:
        """Names of events that were received and that nobody awaited."""
        return [event["Name"] for queue in self._buffered.values() for event in queue]

    def _complete(self, status: str, result: str | None, details: str | None) -> None:
        event_id = self._take_id()
        if self.completion is None:
            self.completion = Completion(event_id, status, result, details, self._carried)

    def _take_id(self) -> int:
        taken = self._next_id
        self._next_id += 1
        return taken

    def _process(self, event: Event) -> None:
        kind = event["EventType"]
        if kind == events.ORCHESTRATOR_STARTED:
            self.current_time = event["Timestamp"]
            return
        if self.suspended and kind not in (events.RESUMED, events.EXECUTION_TERMINATED):
            self._held_events.append(event)
            return
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(event)

    def _task_completed(self, event: Event) -> None:
        self._finish_open(event["TaskScheduledId"], None)

    def _task_failed(self, event: Event) -> None:
        self._finish_open(event["TaskScheduledId"], TaskFault(event["Reason"]))

    def _timer_fired(self, event: Event) -> None:
        self._finish_open(event["TimerId"], None)

    def _event_raised(self, event: Event) -> None:
        if self.continues:
            self._carried.append(event)
        else:
            self._raise_event(event)

    def _terminate(self, event: Event) -> None:
        self._complete(TERMINATED, event["Input"], None)

    def _suspend(self, event: Event) -> None:  # noqa: ARG002 - one signature for all events
        self.suspended = True
        if self.new_actions:
            self._held_actions, self.new_actions = self.new_actions, {}

    def _start(self, event: Event) -> None:
        self.instance_id = event["OrchestrationInstance"]["InstanceId"]
        self.execution_id = event["OrchestrationInstance"]["ExecutionId"]
        self.name = event["Name"]
        parent = event["ParentInstance"]
        self.parent_instance_id = parent and parent["OrchestrationInstance"]["InstanceId"]
        self._result = drive(self._run_player())

    async def _run_player(self) -> None:
        self._output = await self._play(self)

    def _resume(self, event: Event) -> None:  # noqa: ARG002 - one signature for all events
        self.suspended = False
        if self._held_actions:
            self.new_actions, self._held_actions = self._held_actions, {}
        while self._held_events and not self.suspended:
            self._process(self._held_events.popleft())

    def _finish_open(self, task_id: int, fault: TaskFault | None) -> None:
        task = self.open_tasks.pop(task_id, None)
        if task is not None:
            task.finish(fault)

    # -- what an orchestrator can schedule

    def _add(self, action: NewAction) -> tuple[int, Task]:
        event_id = self._take_id()
        task = Task()
        self.new_actions[event_id] = self._scheduled[event_id] = action
        self.open_tasks[event_id] = task
        return event_id, task

    def call_activity(self, name: str, input_text: str | None) -> Task:
        return self._add(ScheduleTask(name, input_text))[1]

    def create_timer(self, fire_at: str, *, cancelled: bool = False) -> Task:
        """A cancelled timer keeps its number and its TimerCreated, and is done at once."""
        event_id, task = self._add(CreateTimer(fire_at))
        if cancelled:
            del self.open_tasks[event_id]
            task.finish(TaskFault("A task was canceled."))
        return task

    def call_child(self, name: str, version: str | None, instance_id: str | None, input_text: str | None) -> Task:
        """Without an id the child is called `<parent's execution id>:<its number>`."""
        actual = instance_id if instance_id and instance_id.strip() else f"{self.execution_id}:{self._next_id}"
        return self._add(CreateChild(name, version, actual, input_text))[1]

    def send_operation(
        self, target: str, operation: str, input_text: str | None, *, signal: bool, requested: str
    ) -> str:
        """Send an operation to an entity; the request's id, by which the reply comes back."""
        request_id, text = self._operations.request(
            self.instance_id,
            self.execution_id,
            target,
            operation,
            input_text,
            signal=signal,
            requested=requested,
            now=self.current_time,
        )
        self.new_actions[self._take_id()] = SendEvent(target, text)
        return request_id

    def wait_for_event(self, name: str) -> Task:
        """The newest waiter gets an event first; names match without case; one that came early is taken at once."""
        key = name.lower()
        task = Task()
        self._waits[key] = _EventWait(name, task, self._waits.get(key))
        queue = self._buffered.get(key)
        if queue:
            event = queue.popleft()
            if not queue:
                del self._buffered[key]
            self._raise_event(event)
        return task

    def continue_as_new(self, input_text: str | None) -> None:
        self.continues = True
        self.continue_input = input_text

    def _raise_event(self, event: Event) -> None:
        name = event["Name"]
        key = name.lower()
        wait = self._waits.get(key)
        if wait is None:
            self._buffered.setdefault(key, deque()).append(event)
            return
        if wait.next is None:
            del self._waits[key]
        else:
            self._waits[key] = wait.next
        if wait.name != name:
            self.notes.append(
                f"The event '{name}' was accepted but the orchestrator waits for '{wait.name}': the SDK compares names "
                "with case, so it never wakes. Raise the event with the same spelling, e.g. from one constant."
            )
        wait.task.finish()
