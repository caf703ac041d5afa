"""One execution's replay, as the Durable Task Framework does it.

History events drive tasks; what is scheduled and not yet in the history is what the turn adds. The rules and the texts
are those of TaskOrchestrationContext and TaskOrchestrationExecutor (facts in docs/local-host-deviations.md).
"""

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import uuid4

from local.host.durable import dotnet, events
from local.host.durable.events import Event
from local.host.durable.model import COMPLETED, CONTINUED_AS_NEW, FAILED, TERMINATED


class TaskFault(Exception):
    """A task ended with an error; the player swallows it, as the SDK deals with errors itself."""


class OrchestrationFailed(Exception):
    """The orchestration ends as Failed with `reason` as its output and `details` for a parent."""

    def __init__(self, reason: str, details: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


class NonDeterminism(OrchestrationFailed):
    """The replay did not schedule what the history says was scheduled."""

    def __init__(self, message: str) -> None:
        reason = f"Non-Deterministic workflow detected: {message}"
        super().__init__(reason, f"Unhandled exception while executing orchestration: {reason}")


class Task:
    """Something that completes once, with or without a fault; waiters run at once, in the order of their waiting."""

    __slots__ = ("_waiters", "done", "fault")

    def __init__(self) -> None:
        self.done = False
        self.fault: BaseException | None = None
        self._waiters: list[Callable[[], None]] | None = None

    def finish(self, fault: BaseException | None = None) -> None:
        """Complete the task; a second completion is ignored, as TrySetResult ignores it."""
        if self.done:
            return
        self.done = True
        self.fault = fault
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            waiter()

    def on_done(self, waiter: Callable[[], None]) -> None:
        """Call `waiter` when the task completes; at once when it has."""
        if self.done:
            waiter()
        elif self._waiters is None:
            self._waiters = [waiter]
        else:
            self._waiters.append(waiter)

    def __await__(self) -> Generator["Task", None, None]:
        if not self.done:
            yield self
        if self.fault is not None:
            raise self.fault


def drive(coroutine: Coroutine[Task, None, None]) -> Task:
    """Run a coroutine that awaits only Tasks, each step inside the completion of the task that it awaited."""
    whole = Task()

    def step() -> None:
        try:
            waiting = coroutine.send(None)
        except StopIteration:
            whole.finish()
        except (TaskFault, OrchestrationFailed) as fault:
            whole.finish(fault)
        else:
            waiting.on_done(step)

    step()
    return whole


def when_all(tasks: Iterable[Task]) -> Task:
    """Done when all are; with the first fault if there was one."""
    waiting = [task for task in tasks if not task.done or task.fault]
    whole = Task()
    left = len(waiting)
    faults: list[BaseException] = []

    def one_done(task: Task) -> None:
        nonlocal left
        left -= 1
        if task.fault is not None:
            faults.append(task.fault)
        if left == 0:
            whole.finish(faults[0] if faults else None)

    if not waiting:
        whole.finish()
    for task in waiting:
        task.on_done(lambda task=task: one_done(task))
    return whole


def when_any(tasks: list[Task]) -> Task:
    """Done when the first is. Waiting for none is .NET's ArgumentException."""
    whole = Task()
    if not tasks:
        whole.finish(TaskFault("The tasks argument contains no tasks."))
    for task in tasks:
        task.on_done(whole.finish)
    return whole


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
    """A message to an entity; `due` holds it back until then (ISO text)."""

    dotnet_name: ClassVar[str] = "SendEventOrchestratorAction"
    instance_id: str
    name: str
    input_text: str
    due: str | None = None


NewAction = ScheduleTask | CreateTimer | CreateChild | SendEvent


@dataclass(slots=True)
class Completion:
    """How an execution ended: Completed, Failed, Terminated, or ContinuedAsNew (then `result` is the new input)."""

    event_id: int
    status: str
    result: str | None
    details: str | None = None
    carried: list[Event] = field(default_factory=list[Event])


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
        self._result: Task | None = None
        self._output: str | None = None
        self._held_actions: dict[int, NewAction] = {}
        self._held_events: deque[Event] = deque()
        self._carried: list[Event] = []
        self._waits: dict[str, _EventWait] = {}
        self._buffered: dict[str, deque[Event]] = {}
        self._sent_inputs: dict[int, str] = {}
        self._last_sent_ticks: dict[str, tuple[int, str]] = {}
        self._handlers: dict[int, Callable[[Event], None]] = {
            events.EXECUTION_STARTED: self._start,
            events.EXECUTION_TERMINATED: self._terminate,
            events.TASK_SCHEDULED: self._check_task,
            events.TASK_COMPLETED: self._task_completed,
            events.TASK_FAILED: self._task_failed,
            events.CHILD_CREATED: self._check_child,
            events.CHILD_COMPLETED: self._task_completed,
            events.CHILD_FAILED: self._task_failed,
            events.TIMER_CREATED: self._check_timer,
            events.TIMER_FIRED: self._timer_fired,
            events.EVENT_SENT: self._check_sent,
            events.EVENT_RAISED: self._event_raised,
            events.SUSPENDED: self._suspend,
            events.RESUMED: self._resume,
        }

    # -- running

    def run(self, past: Iterable[Event], new: Iterable[Event]) -> None:
        """Process the history; afterwards `new_actions` and `completion` say what the turn adds."""
        past = list(past)
        self._sent_inputs = {
            event["EventId"]: event["Input"] for event in past if event["EventType"] == events.EVENT_SENT
        }
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

    @property
    def returned(self) -> bool:
        """The orchestrator function has ended, whatever is still outstanding."""
        return self._result is not None and self._result.done

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
        self.new_actions[event_id] = action
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
        self, target: str, operation: str, input_text: str | None, *, signal: bool, now: str, due: str | None = None
    ) -> str:
        """Send an operation to an entity; the request's id, by which the reply comes back."""
        event_id = self._take_id()
        stamp, predecessor = self._label(target)
        if (sent := self._sent_inputs.get(event_id)) is not None:
            request_id, text = self._request_id(sent), sent
        else:
            request_id = str(uuid4())
            message: dict[str, Any] = {
                "$type": "Microsoft.Azure.WebJobs.Extensions.DurableTask.RequestMessage, "
                "Microsoft.Azure.WebJobs.Extensions.DurableTask",
                "op": operation,
            }
            if signal:
                message["signal"] = True
            if input_text is not None:
                message["input"] = input_text
            message |= {"id": request_id, "parent": self.instance_id, "parentExecution": self.execution_id}
            if due:
                message["due"] = due
            message |= {"Timestamp": stamp, "Predecessor": predecessor, "requestTime": now}
            text = dotnet.to_json(message)
        name = f"op@{due}" if due else "op"
        self.new_actions[event_id] = SendEvent(target, name, text, due)
        return request_id

    @staticmethod
    def _request_id(sent: str) -> str:
        start = sent.index('"id":"', sent.index('"op":')) + len('"id":"')
        return sent[start : start + 36]

    def _label(self, target: str) -> tuple[str, str]:
        """MessageSorter's stamps: strictly growing towards each target, each naming the one before."""
        ticks = dotnet.ticks(dotnet.parse_time(self.current_time))
        last, last_text = self._last_sent_ticks.get(target, (0, "0001-01-01T00:00:00"))
        text = self.current_time
        if ticks <= last:
            ticks = last + 1
            text = dotnet.ticks_text(ticks)
        self._last_sent_ticks[target] = (ticks, text)
        return text, last_text

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

    # -- non-determinism: what the history says must be what the replay scheduled

    _CHANGED = "Was a change made to the orchestrator code after this instance had already started running?"

    def _check(self, event: Event, wanted: type[Any], what: str) -> Any:
        action = self.new_actions.get(event["EventId"])
        if action is None:
            raise NonDeterminism(
                f"A previous execution of this orchestration scheduled {what}, but the current replay execution hasn't "
                f"(yet?) scheduled this task. {self._CHANGED}"
            )
        if not isinstance(action, wanted):
            raise NonDeterminism(
                f"A previous execution of this orchestration scheduled {what}, but the current orchestration replay "
                f"instead produced a {action.dotnet_name} action with this sequence number. {self._CHANGED}"
            )
        return action

    def _confirm(self, event: Event) -> None:
        del self.new_actions[event["EventId"]]

    def _check_task(self, event: Event) -> None:
        number, name = event["EventId"], event["Name"]
        action = self.new_actions.get(number)
        if isinstance(action, ScheduleTask) and action.name == name:
            del self.new_actions[number]  # the one path that a wide fan-out takes thousands of times
            return
        what = f"an activity task with sequence number {number} named '{name}'"
        checked = self._check(event, ScheduleTask, what)
        if checked.name.lower() != name.lower():
            raise NonDeterminism(
                f"A previous execution of this orchestration scheduled {what}, but the current orchestration replay "
                f"instead scheduled an activity task named '{checked.name}' with this sequence number.  {self._CHANGED}"
            )
        self._confirm(event)

    def _check_timer(self, event: Event) -> None:
        self._check(event, CreateTimer, f"a timer task with sequence number {event['EventId']}")
        self._confirm(event)

    def _check_child(self, event: Event) -> None:
        what = (
            f"a sub-orchestration task with sequence ID {event['EventId']} and name '{event['Name']}' (version "
            f"'{event['Version'] or ''}', instance ID '{event['InstanceId']}')"
        )
        action = self._check(event, CreateChild, what)
        if action.name.lower() != event["Name"].lower():
            raise NonDeterminism(
                f"A previous execution of this orchestration scheduled {what}, but the current orchestration replay "
                f"instead scheduled a sub-orchestration task with name '{action.name}' at this sequence number. "
                f"{self._CHANGED}"
            )
        self._confirm(event)

    def _check_sent(self, event: Event) -> None:
        what = f"a send event task with sequence number {event['EventId']} to instance '{event['InstanceId']}'"
        self._check(event, SendEvent, what)
        self._confirm(event)
