"""Plays orchestrators as plain generators: activities are fakes under their own names, children run in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from shared.platform.durable import ACTIVITIES, ORCHESTRATIONS, Failure, Orchestration
from shared.platform.durable.handles import Envelope
from shared.platform.errors import TerminalError
from tests.failed_attempts import failed_attempt
from tests.present import untyped

Fake = Callable[[Any], BaseModel]


@dataclass
class Task:
    """What the fake context schedules; done when the player comes to it."""

    run: Callable[[], Any]
    result: Any = None

    def cancel(self) -> None:
        self.run = lambda: None


class Timer(Task):
    """A task that only time completes."""


@dataclass
class Player:
    """Acts as host and context. `fakes` answers activities; what happened is kept for the test."""

    fakes: dict[str, Fake] = field(default_factory=dict)
    calls: list[tuple[str, BaseModel]] = field(default_factory=list)
    timers: list[float] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    events: list[BaseModel] = field(default_factory=list)
    current_utc_datetime: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    instance_id: str = "instance"

    def call_activity(self, name: str, payload: str) -> Task:
        return Task(lambda: self._activity(name, payload))

    def call_sub_orchestrator(self, name: str, payload: str) -> Task:
        return Task(lambda: self._child(name, payload))

    def wait_for_external_event(self, name: str) -> Task:
        return Task(lambda: None, result=self.events.pop(0).model_dump_json() if self.events else None)

    def task_any(self, tasks: list[Task]) -> Task:
        """The first that is done: an event that nobody tells leaves it to the timer."""

        def first() -> Task:
            events, *others = tasks
            if others and events.result is None and len(tasks) == 2 and isinstance(others[0], Timer):
                others[0].run()
                return others[0]
            return events

        return Task(first)

    def create_timer(self, fire_at: datetime) -> Task:
        def fire() -> None:
            self.timers.append((fire_at - self.current_utc_datetime).total_seconds())
            self.current_utc_datetime = fire_at

        return Timer(fire)

    def set_custom_status(self, status: dict[str, Any]) -> None:
        self.statuses.append(status)

    def named(self, name: str) -> list[Any]:
        return [task for called, task in self.calls if called == name]

    def play(self, orchestration: Orchestration[Any, Any], task: BaseModel) -> Any:
        """Run the orchestration to its end and give its answer, or raise what it raised."""
        steps = orchestration.run(untyped(self), task)
        try:
            wanted = next(steps)
            while True:
                try:
                    value = wanted.run()
                except Exception as error:
                    wanted = steps.throw(error)
                else:
                    wanted = steps.send(value)
        except StopIteration as end:
            return end.value

    def _activity(self, name: str, payload: str) -> str:
        task = ACTIVITIES[name].takes.model_validate_json(payload)
        self.calls.append((name, task))
        try:
            return Envelope(value=self.fakes[name](task).model_dump_json()).model_dump_json()
        except TerminalError as error:
            return Envelope(failure=Failure.of(error)).model_dump_json()
        except Exception as error:
            raise failed_attempt(name, error) from None

    def _child(self, name: str, payload: str) -> str:
        child = ORCHESTRATIONS[name]
        try:
            value = self.play(child, child.takes.model_validate_json(payload))
        except TerminalError as error:
            return Envelope(failure=Failure.of(error)).model_dump_json()
        return Envelope(value=value.model_dump_json()).model_dump_json()


@pytest.fixture
def player() -> Player:
    return Player()
