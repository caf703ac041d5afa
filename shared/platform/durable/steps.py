"""What an orchestrator is written in: `call` a step, `fan_out` over many, `repeat` in time boxes, show `progress`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.platform.durable.failures import Failure, given_up
from shared.platform.durable.handles import (
    ACTIVITIES,
    ORCHESTRATIONS,
    Activity,
    Context,
    Envelope,
    Handle,
    In,
    Out,
    Steps,
    byte_length,
    orchestration,
)
from shared.platform.errors import TerminalError
from shared.platform.models import LazyModel

Event = TypeVar("Event", bound=BaseModel)

CHUNK_BYTES = 32_768
"""Most UTF-8 bytes of the tasks of one fan-out chunk, as JSON text: what a history entry holds comfortably."""
TOO_MANY_BOXES = "too-many-time-boxes"
"""Code of the error of a `repeat` that used up its time boxes."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[In, Out]):
    """What became of one task of a fan-out."""

    task: In
    value: Out | None = None
    failure: Failure | None = None

    def result(self) -> Out:
        """The value.

        Raises:
            TerminalError: the task failed.
        """
        if self.failure is not None:
            raise self.failure.error()
        assert self.value is not None
        return self.value


def call(context: Context, step: Handle[In, Out], task: In) -> Steps[Out]:
    """Run an activity or a sub-orchestration and give its answer, trying again as its policy says.

    Raises:
        TerminalError: it failed for good, or as often as its policy allows.
    """
    [outcome] = yield from _run_all(context, step, [task], None)
    return outcome.result()


def fan_out(
    context: Context,
    step: Handle[In, Out],
    tasks: Sequence[In],
    *,
    chunk: int = 50,
    on_done: Callable[[int], None] | None = None,
) -> Steps[list[Outcome[In, Out]]]:
    """Run the step for every task at once and give all outcomes in the tasks' order; none raises.

    More than `chunk` tasks are spread over sub-orchestrations, so that no history grows with the width of the fan.
    `on_done` is called with the number of tasks done, as it grows.
    """
    # Chunks are full already: cut by their size again, they would never fit together.
    chunks = _chunks(tasks, chunk, None if step is fan_out_chunk else CHUNK_BYTES)
    if len(chunks) <= 1:
        return (yield from _run_all(context, step, tasks, on_done))
    parts = [Chunk(step=step.name, tasks=[task.model_dump_json() for task in part]) for part in chunks]
    done = 0

    def count(parts_done: int) -> None:
        nonlocal done
        done = sum(len(part) for part in chunks[:parts_done])
        if on_done:
            on_done(done)

    answers = yield from fan_out(context, fan_out_chunk, parts, chunk=chunk, on_done=count)
    outcomes: list[Outcome[In, Out]] = []
    for part, answer in zip(chunks, answers, strict=True):
        if answer.value is None:
            outcomes += [Outcome(task, failure=answer.failure) for task in part]
            continue
        for task, envelope in zip(part, answer.value.answers, strict=True):
            outcomes.append(_outcome(step, task, envelope.model_dump_json()))
    return outcomes


def repeat(
    context: Context,
    step: Handle[In, Out],
    task: In,
    *,
    until: Callable[[Out], bool],
    following: Callable[[In, Out], In] = lambda task, _: task,
    show: Callable[[Out], None] = lambda _: None,
    boxes: int = 150,
) -> Steps[Out]:
    """Run a step that works in time boxes again and again until it says it is done.

    `following` makes the next box's task from the last one and its answer, to carry a cursor; without it every box is
    given the same task and the step keeps its own progress. `show` is called with every answer.

    Raises:
        TerminalError: it was not done after `boxes` boxes (TOO_MANY_BOXES): the history would grow without bound.
    """
    for _ in range(boxes):
        answer = yield from call(context, step, task)
        show(answer)
        if until(answer):
            return answer
        task = following(task, answer)
    raise TerminalError(
        f"{step.name} was not done after {boxes} time boxes.",
        code=TOO_MANY_BOXES,
        remedy="Make the work smaller, or give each time box more seconds.",
    )


def wait_for_event(context: Context, event: str, model: type[Event], seconds: float) -> Steps[Event | None]:
    """What `DurableClient.raise_event` sends under that name; None if it sends nothing within `seconds`.

    Raises:
        TerminalError: what was sent is not of the model.
    """
    timer: Any = context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
    received = context.wait_for_external_event(event)
    if (yield context.task_any([received, timer])) is not received:
        return None
    timer.cancel()  # an open timer would keep the orchestration from ending
    value: Any = received.result
    try:
        # The SDK's client encodes what it is given once more than its orchestrator decodes; raw HTTP does not.
        while isinstance(value, str):
            value = json.loads(value)
        return model.model_validate(value)
    except (ValidationError, json.JSONDecodeError) as error:
        raise TerminalError(
            f"The event {event} is no {model.__name__}: {str(error)[:300]}.",
            code="unreadable-event",
        ) from None


def progress(context: Context, phase: str, *, done: int = 0, total: int = 0, unit: str = "", **more: Any) -> None:
    """Show on the instance's status what it is doing and how far it is."""
    percent = round(100 * done / total) if total else 0
    context.set_custom_status({"phase": phase, "done": done, "total": total, "unit": unit, "percent": percent, **more})


class Chunk(LazyModel):
    """A share of a wide fan-out: the step's name and its tasks as JSON text."""

    model_config = ConfigDict(frozen=True)
    step: str
    tasks: list[str]


class Answers(LazyModel):
    """The outcomes of a chunk, in order."""

    model_config = ConfigDict(frozen=True)
    answers: list[Envelope]


@orchestration
def fan_out_chunk(context: Context, share: Chunk) -> Steps[Answers]:
    """One share of a wide fan-out."""
    step: Handle[Any, Any] = ACTIVITIES.get(share.step) or ORCHESTRATIONS[share.step]
    tasks = [step.takes.model_validate_json(task) for task in share.tasks]
    total = len(tasks)

    def show(done: int) -> None:
        progress(context, share.step, done=done, total=total, unit="tasks")

    outcomes = yield from _run_all(context, step, tasks, show)
    return Answers(
        answers=[
            Envelope(failure=one.failure) if one.failure else Envelope(value=one.result().model_dump_json())
            for one in outcomes
        ]
    )


def _run_all(
    context: Context, step: Handle[In, Out], tasks: Sequence[In], on_done: Callable[[int], None] | None
) -> Steps[list[Outcome[In, Out]]]:
    """Run the tasks at once, in rounds: after each round those that failed in a way that may pass are tried again."""
    outcomes: dict[int, Outcome[In, Out]] = {}
    waiting = list(range(len(tasks)))
    attempt = 1
    while waiting:
        running: dict[int, Any] = {}
        for index in waiting:
            try:
                running[index] = _schedule(context, step, tasks[index])
            except TerminalError as error:  # its input is too large, which is no reason to fail the others
                outcomes[index] = Outcome(tasks[index], failure=Failure.of(error))
        if not running:
            break
        # The first wait schedules them all; then each is taken in turn, which adds nothing to the history.
        # Waiting for all at once would give up on the others as soon as one of them fails.
        yield context.task_any(list(running.values()))
        again: list[int] = []
        for index, task in running.items():
            try:
                outcomes[index] = _outcome(step, tasks[index], (yield task))
            except Exception as error:  # noqa: BLE001 - the SDK raises plain Exception for whatever a step raised
                again.append(index)
                if attempt >= step.retry.attempts:
                    outcomes[index] = Outcome(tasks[index], failure=given_up(step.name, attempt, error))
            if on_done:
                on_done(len(outcomes))
        if not again or attempt >= step.retry.attempts:
            break
        yield context.create_timer(context.current_utc_datetime + step.retry.delay(attempt))
        waiting = again
        attempt += 1
    return [outcomes[index] for index in range(len(tasks))]


def _schedule(context: Context, step: Handle[In, Any], task: In) -> Any:
    if isinstance(step, Activity):
        return context.call_activity(step.name, step.encode(task))
    # Of a chunk, it is each of its tasks that is bounded.
    payload = task.model_dump_json() if step is fan_out_chunk else step.encode(task)
    return context.call_sub_orchestrator(step.name, payload)


def _outcome(step: Handle[In, Out], task: In, answer: Any) -> Outcome[In, Out]:
    try:
        return Outcome(task, value=step.decode(answer))
    except TerminalError as error:
        return Outcome(task, failure=Failure.of(error))


def _chunks(tasks: Sequence[In], chunk: int, most_bytes: int | None) -> list[list[In]]:
    """Cut the tasks into chunks of at most `chunk` tasks and, if that is limited, `most_bytes`."""
    if most_bytes is None:
        return [list(tasks[start : start + chunk]) for start in range(0, len(tasks), chunk)]
    shares: list[list[In]] = []
    size = 0
    for task in tasks:
        length = byte_length(task.model_dump_json())
        if not shares or len(shares[-1]) >= chunk or size + length > most_bytes:
            shares.append([])
            size = 0
        shares[-1].append(task)
        size += length
    return shares
