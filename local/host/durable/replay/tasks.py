"""Tasks of a replay: single-threaded stand-ins for .NET's, whose waiters run inside their completion."""

from collections.abc import Callable, Coroutine, Generator, Iterable


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
    """Done when the first is."""
    whole = Task()
    for task in tasks:
        task.on_done(whole.finish)
    return whole
