"""A race: who loses is told to end and awaited, and no timer is left open."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from pydantic import BaseModel

from shared.platform.durable import ACTIVITIES, ORCHESTRATIONS, Context, Steps, activity, blueprint, call, orchestration
from shared.platform.durable.handles import Envelope, Failure
from shared.platform.durable.races import race, wait_for_any_event

START = datetime(2026, 1, 1, tzinfo=UTC)
CALL_ACTIVITY, TIMER = 0, 5


class Word(BaseModel):
    text: str


@activity
async def unit_interrupt(task: Word) -> Word:
    return task


@orchestration
def unit_work(context: Context, task: Word) -> Steps[Word]:
    yield from ()
    return task


@orchestration
def unit_race(context: Context, task: Word) -> Steps[Word]:
    def interrupt(why) -> Steps[Word]:
        return call(context, unit_interrupt, Word(text=why))

    return (yield from race(context, unit_work, task, event="stop", seconds=60, cancel=interrupt))


@orchestration
def unit_wait(context: Context, task: Word) -> Steps[Word]:
    arrived = yield from wait_for_any_event(context, ("stop", "go"), 60)
    return Word(text=arrived or "time")


for known in (ACTIVITIES, ORCHESTRATIONS):
    for name in ("unit_interrupt", "unit_work", "unit_race", "unit_wait"):
        known.pop(name, None)


class Run:
    """A history that grows by what the test says."""

    def __init__(self, handle: Any) -> None:
        self.function = blueprint(handle)._function_builders[0]._function._func
        self.now = START
        self.history = [self.event(12), self.event(0, Name=handle.name, Version=None, Input=json.dumps('{"text":"x"}'))]

    def event(self, kind: int, **fields: Any) -> dict[str, Any]:
        return {"EventType": kind, "EventId": -1, "IsPlayed": False, "Timestamp": self.now.isoformat()} | fields

    def next(self, *events: dict[str, Any]) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        if events:
            self.history += [self.event(13), self.event(12), *events]
        context = {
            "history": self.history,
            "input": '{"text":"x"}',
            "instanceId": "i",
            "isReplaying": False,
            "parentInstanceId": None,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 3,
        }
        try:
            return json.loads(self.function(func.OrchestrationContext(json.dumps(context))))
        except Exception as error:
            return json.loads(str(error).split("$OutOfProcData$:")[1])

    def done(self, number: int, answer: BaseModel | None = None, *, failure: Failure | None = None) -> dict[str, Any]:
        value = answer.model_dump_json() if answer else None
        result = Envelope(value=value, failure=failure).model_dump_json()
        return self.event(8, TaskScheduledId=number, Result=json.dumps(result))


@pytest.fixture
def run() -> Run:
    race_ = Run(unit_race)
    race_.next()
    race_.history += [
        race_.event(7, EventId=0, Name="unit_work"),
        race_.event(10, EventId=1, FireAt=(START + timedelta(seconds=60)).isoformat()),
    ]
    return race_


def actions(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for action in answer["actions"][0] for one in action.get("compoundActions", [action])]


def timers(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in actions(answer) if one["actionType"] == TIMER]


def names(answer: dict[str, Any]) -> list[str]:
    return [one["functionName"] for one in actions(answer) if one["actionType"] == CALL_ACTIVITY]


def test_work_that_is_quicker_cancels_the_timer(run: Run) -> None:
    answer = run.next(run.done(0, Word(text="made")))
    assert answer["isDone"]
    assert answer["output"] == {"text": "made"}
    assert [one["isCanceled"] for one in timers(answer)] == [True]
    assert names(answer) == []


def test_an_event_interrupts_and_the_work_is_awaited(run: Run) -> None:
    answer = run.next(run.event(15, Name="stop", Input='"{}"'))
    assert not answer["isDone"]
    assert names(answer) == ["unit_interrupt"]
    assert [one["isCanceled"] for one in timers(answer)] == [True]
    interrupted = Envelope(value='{"text":"event"}').model_dump_json()
    run.history.append(run.event(4, EventId=2, Name="unit_interrupt"))
    answer = run.next(run.event(5, TaskScheduledId=2, Result=json.dumps(interrupted)))
    assert not answer["isDone"]
    answer = run.next(run.done(0, failure=Failure(code="deployment-stopped", message="it was told to")))
    assert "deployment-stopped" in answer["error"]


def test_time_that_is_up_interrupts_and_the_work_is_awaited(run: Run) -> None:
    answer = run.next(run.event(11, TimerId=1, FireAt=(START + timedelta(seconds=60)).isoformat()))
    assert names(answer) == ["unit_interrupt"]
    assert not answer["isDone"]


def test_work_that_the_host_gave_up_ends_the_race(run: Run) -> None:
    failed = run.event(9, TaskScheduledId=0, Reason="Orchestrator function 'unit_work' failed: x", Details="{}")
    answer = run.next(failed)
    assert "(step-failed)" in answer["error"]
    assert "unit_work" not in answer["error"]
    assert [one["isCanceled"] for one in timers(answer)] == [True]


def test_the_first_of_several_events_is_told_by_name() -> None:
    waiting = Run(unit_wait)
    waiting.next()
    waiting.history.append(waiting.event(10, EventId=0, FireAt=(START + timedelta(seconds=60)).isoformat()))
    answer = waiting.next(waiting.event(15, Name="go", Input='"{}"'))
    assert answer["output"] == {"text": "go"}
    assert [one["isCanceled"] for one in timers(answer)] == [True]
