"""A sub-orchestration beside a clock and an event that may call it off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

from shared.platform.durable.handles import Context, In, Orchestration, Out, Steps
from shared.platform.errors import TerminalError

Interruption = Literal["event", "timeout"]


def race(
    context: Context,
    step: Orchestration[In, Out],
    task: In,
    *,
    event: str,
    seconds: float,
    interrupt: Callable[[Interruption], Steps[Any]],
) -> Steps[Out]:
    """Run the step, and `interrupt` once if the event is told or the time is up before it has ended.

    The step is awaited in any case, since an orchestration cannot end before its children: `interrupt` has to make it
    end. The timer of a step that was quicker is cancelled.

    Raises:
        TerminalError: the step failed.
    """
    work: Any = context.call_sub_orchestrator(step.name, step.encode(task))
    timer: Any = context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
    told = context.wait_for_external_event(event)
    winner = yield context.task_any([work, timer, told])
    if winner is not timer:
        timer.cancel()
    if winner is not work:
        yield from interrupt("timeout" if winner is timer else "event")
    try:
        answer = yield work
    except Exception as error:  # noqa: BLE001 - the SDK raises plain Exception for whatever a step raised
        # The text is the host's: its own words, then a serialised .NET exception.
        text = str(error).split(" \n ", 1)[0][:600]
        raise TerminalError(f"{step.name} failed: {text}", code="step-failed") from None
    return step.decode(answer)


def wait_for_any(context: Context, events: Sequence[str], seconds: float) -> Steps[str | None]:
    """The name of the first event told, None if none was told within `seconds`. What it carried is not looked at."""
    timer: Any = context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
    told = [context.wait_for_external_event(event) for event in events]
    winner = yield context.task_any([*told, timer])
    if winner is timer:
        return None
    timer.cancel()  # an open timer would keep the orchestration from ending
    return events[[one is winner for one in told].index(True)]
