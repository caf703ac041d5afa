"""A sub-orchestration beside a timer and an event, either of which may cancel it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

from shared.platform.durable.failures import given_up
from shared.platform.durable.handles import Context, In, Orchestration, Out, Steps

CancelCause = Literal["event", "timeout"]


def race(
    context: Context,
    step: Orchestration[In, Out],
    task: In,
    *,
    event: str,
    seconds: float,
    cancel: Callable[[CancelCause], Steps[Any]],
) -> Steps[Out]:
    """Run the step, and `cancel` once if the event comes or the time is up before it has ended.

    The step is awaited in any case, since an orchestration cannot end before its children: `cancel` has to make it
    end. The timer of a step that was quicker is cancelled.

    Raises:
        TerminalError: the step failed.
    """
    work: Any = context.call_sub_orchestrator(step.name, step.encode(task))
    timer: Any = context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
    received = context.wait_for_external_event(event)
    winner = yield context.task_any([work, timer, received])
    if winner is not timer:
        timer.cancel()
    if winner is not work:
        yield from cancel("timeout" if winner is timer else "event")
    try:
        answer = yield work
    except Exception as error:  # noqa: BLE001 - the SDK raises plain Exception for whatever a step raised
        raise given_up(step.name, 1, error).error() from None
    return step.decode(answer)


def wait_for_any_event(context: Context, events: Sequence[str], seconds: float) -> Steps[str | None]:
    """The name of the first event that comes, None if none comes within `seconds`. Its data is not looked at."""
    timer: Any = context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
    received = [context.wait_for_external_event(event) for event in events]
    winner = yield context.task_any([*received, timer])
    if winner is timer:
        return None
    timer.cancel()  # an open timer would keep the orchestration from ending
    return events[[task is winner for task in received].index(True)]
