"""The words that orchestrators are written in, run through the SDK as the host runs it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from pydantic import BaseModel

from shared.platform.durable import (
    Context,
    RetryPolicy,
    Steps,
    activity,
    blueprint,
    call,
    fan_out,
    orchestration,
    repeat,
    wait_for_event,
)
from shared.platform.durable.failures import Failure
from shared.platform.durable.handles import PAYLOAD_BYTES, Envelope
from shared.platform.errors import Conflict, TransientError
from tests.failed_attempts import reason

START = datetime(2026, 1, 1, tzinfo=UTC)


class Number(BaseModel):
    n: int


class Numbers(BaseModel):
    ns: list[int | str]


@activity(retry=RetryPolicy(attempts=3, first_delay=timedelta(seconds=2)))
async def unit_double(task: Number) -> Number:
    if task.n < 0:
        raise Conflict("negative", remedy="Send a positive one.")
    if task.n == 13:
        raise TransientError("unlucky")
    return Number(n=2 * task.n)


@orchestration
def unit_one(context: Context, task: Number) -> Steps[Number]:
    return (yield from call(context, unit_double, task))


@orchestration
def unit_many(context: Context, task: Numbers) -> Steps[Numbers]:
    outcomes = yield from fan_out(context, unit_double, [Number(n=int(n)) for n in task.ns], chunk=4)
    return Numbers(ns=[one.failure.code if one.failure else one.result().n for one in outcomes])


@orchestration
def unit_until_large(context: Context, task: Number) -> Steps[Number]:
    return (yield from repeat(context, unit_double, task, until=lambda answer: answer.n > 5, boxes=3))


class Page(BaseModel):
    cursor: str | None = None


@activity
async def unit_page(task: Page) -> Page:
    return task


@orchestration
def unit_pages(context: Context, task: Page) -> Steps[Page]:
    return (
        yield from repeat(
            context,
            unit_page,
            task,
            until=lambda page: page.cursor is None,
            following=lambda _, page: Page(cursor=page.cursor),
            boxes=3,
        )
    )


@activity
async def unit_text(task: Numbers) -> Numbers:
    return Numbers(ns=["é" * (PAYLOAD_BYTES - 100)])


@orchestration
def unit_texts(context: Context, task: Numbers) -> Steps[Numbers]:
    """A task for each length in characters of two bytes."""
    tasks = [Numbers(ns=["é" * int(n)]) for n in task.ns]
    outcomes = yield from fan_out(context, unit_text, tasks)
    return Numbers(ns=[one.failure.code if one.failure else "done" for one in outcomes])


@orchestration
def unit_waits(context: Context, task: Number) -> Steps[Number]:
    arrived = yield from wait_for_event(context, "number", Number, task.n)
    return arrived or Number(n=-1)


class Run:
    """A history that grows by what the test says; `turn` asks the SDK what the orchestrator does next."""

    def __init__(self, handle: Any, task: BaseModel, *, parent: str | None = None) -> None:
        [builder] = blueprint(handle)._function_builders
        self.handle = builder._function._func
        self.parent = parent
        self.now = START
        self.input = json.dumps(task.model_dump_json())
        self.history: list[dict[str, Any]] = [
            self._event(12),
            self._event(0, Name=handle.name, Version=None, Input=self.input),
        ]

    def _event(self, kind: int, **fields: Any) -> dict[str, Any]:
        return {"EventType": kind, "EventId": -1, "IsPlayed": False, "Timestamp": self.now.isoformat()} | fields

    def turn(self) -> dict[str, Any]:
        context = {
            "history": self.history,
            "input": json.loads(self.input),
            "instanceId": "i",
            "isReplaying": False,
            "parentInstanceId": self.parent,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 3,
        }
        try:
            return json.loads(self.handle(func.OrchestrationContext(json.dumps(context))))
        except Exception as error:
            return json.loads(str(error).split("$OutOfProcData$:")[1])

    def next(self, *events: dict[str, Any], seconds: int = 0) -> dict[str, Any]:
        self.now += timedelta(seconds=seconds)
        self.history += [self._event(13), self._event(12), *({**event} for event in events)]
        return self.turn()

    def scheduled(self, number: int) -> dict[str, Any]:
        return self._event(4, EventId=number, Name="unit_double")

    def completed(self, number: int, answer: BaseModel) -> dict[str, Any]:
        return self._event(5, TaskScheduledId=number, Result=json.dumps(answer.model_dump_json()))

    def failed(self, number: int) -> dict[str, Any]:
        why = reason("unit_double", TransientError("unlucky", code="no-luck", remedy="Choose another number."))
        return self._event(6, TaskScheduledId=number, Reason=why, Details="{}")


def value(n: int) -> Envelope:
    return Envelope(value=Number(n=n).model_dump_json())


def kinds(answer: dict[str, Any]) -> list[int]:
    return [action["actionType"] for action in answer["actions"][0]]


def test_an_input_that_is_too_large_fails_alone() -> None:
    run = Run(unit_texts, Numbers(ns=[10, PAYLOAD_BYTES // 2, 10]))
    assert len(run.turn()["actions"][0][0]["compoundActions"]) == 2
    answer = run.next(*(run.scheduled(n) for n in range(2)))
    answer = run.next(*(run.completed(n, Envelope(value='{"ns":[]}')) for n in range(2)))
    assert answer["output"] == {"ns": ["done", "payload-too-large", "done"]}
    alone = Run(unit_texts, Numbers(ns=[PAYLOAD_BYTES // 2])).turn()
    assert (alone["isDone"], alone["output"]) == (True, {"ns": ["payload-too-large"]})


def test_the_chunks_of_a_fan_out_are_cut_by_bytes() -> None:
    run = Run(unit_texts, Numbers(ns=[6_000] * 4))
    actions = run.turn()["actions"][0][0]["compoundActions"]
    assert [len(json.loads(json.loads(a["input"]))["tasks"]) for a in actions] == [2, 2]


def test_a_call_gives_the_model() -> None:
    run = Run(unit_one, Number(n=4))
    assert kinds(run.turn()) == [11]
    answer = run.next(run.scheduled(0), run.completed(0, value(8)))
    assert answer["isDone"]
    assert answer["output"] == {"n": 8}


def test_a_child_answers_an_envelope() -> None:
    run = Run(unit_one, Number(n=4), parent="p")
    run.turn()
    answer = run.next(run.scheduled(0), run.completed(0, value(8)))
    assert Envelope.model_validate_json(answer["output"]).value == '{"n":8}'


def test_a_transient_failure_is_tried_again_with_growing_delays_then_ends_with_a_code() -> None:
    run = Run(unit_one, Number(n=13))
    run.turn()
    for attempt, (number, seconds) in enumerate([(0, 2), (2, 4)]):
        answer = run.next(run.scheduled(number), run.failed(number))
        timer = answer["actions"][0][-1]
        assert timer["actionType"] == 5
        assert datetime.fromisoformat(timer["fireAt"]) == run.now + timedelta(seconds=seconds), attempt
        fire = run._event(10, EventId=number + 1, FireAt=timer["fireAt"])
        run.history.append(fire)
        run.next(run._event(11, TimerId=number + 1, FireAt=timer["fireAt"]), seconds=seconds)
    answer = run.next(run.scheduled(4), run.failed(4))
    assert not answer["isDone"]
    assert answer["error"] == "unlucky. It was tried 3 times. (no-luck) Choose another number."


def test_a_terminal_error_is_not_tried_again() -> None:
    run = Run(unit_one, Number(n=-1))
    run.turn()
    failure = Envelope(failure=Failure(code="conflict", message="negative", remedy="Send a positive one."))
    answer = run.next(run.scheduled(0), run.completed(0, failure))
    assert answer["error"] == "negative (conflict) Send a positive one."


def test_a_fan_out_gives_all_outcomes_in_order_and_tries_only_the_failed_again() -> None:
    run = Run(unit_many, Numbers(ns=[1, 13, -1]))
    assert len(run.turn()["actions"][0][0]["compoundActions"]) == 3
    negative = Envelope(failure=Failure(code="conflict", message="negative"))
    run.next(*(run.scheduled(n) for n in range(3)), run.completed(2, negative), run.failed(1))
    answer = run.next(run.completed(0, value(2)))
    assert kinds(answer) == [11, 5], "one wait for three, then a delay"
    fire = answer["actions"][0][-1]["fireAt"]
    run.history.append(run._event(10, EventId=3, FireAt=fire))
    answer = run.next(run._event(11, TimerId=3, FireAt=fire), seconds=2)
    assert len(answer["actions"][0][-1]["compoundActions"]) == 1
    answer = run.next(run.scheduled(4), run.completed(4, value(26)))
    assert answer["output"] == {"ns": [2, 26, "conflict"]}


def test_a_wide_fan_out_is_spread_over_sub_orchestrations() -> None:
    run = Run(unit_many, Numbers(ns=list(range(10))))
    actions = run.turn()["actions"][0][0]["compoundActions"]
    assert [action["functionName"] for action in actions] == ["fan_out_chunk"] * 3
    assert [len(json.loads(json.loads(a["input"]))["tasks"]) for a in actions] == [4, 4, 2]


def test_repeating_stops_when_done_or_after_its_boxes() -> None:
    run = Run(unit_until_large, Number(n=1))
    run.turn()
    for number, n in enumerate([2, 4]):
        run.next(run.scheduled(number), run.completed(number, value(n)))
    assert run.next(run.scheduled(2), run.completed(2, value(6)))["output"] == {"n": 6}
    short = Run(unit_until_large, Number(n=1))
    short.turn()
    for number in range(2):
        short.next(short.scheduled(number), short.completed(number, value(2)))
    assert "too-many-time-boxes" in short.next(short.scheduled(2), short.completed(2, value(2)))["error"]


def test_repeating_carries_a_cursor() -> None:
    run = Run(unit_pages, Page())
    run.turn()
    inputs = []
    for number, cursor in enumerate(["a", "b"]):
        page = Envelope(value=Page(cursor=cursor).model_dump_json())
        answer = run.next(run.scheduled(number), run.completed(number, page))
        [action] = answer["actions"][0][-1]["compoundActions"]
        inputs.append(json.loads(json.loads(action["input"])))
    assert inputs == [{"cursor": "a"}, {"cursor": "b"}]
    last = run.next(run.scheduled(2), run.completed(2, Envelope(value=Page().model_dump_json())))
    assert last["output"] == {"cursor": None}


def waiting() -> tuple[Run, str]:
    run = Run(unit_waits, Number(n=60))
    fire = run.turn()["actions"][0][0]["compoundActions"][1]["fireAt"]
    run.history.append(run._event(10, EventId=0, FireAt=fire))
    return run, fire


# What the SDK's client makes of text, what it makes of an object, and what a raw HTTP call sends.
@pytest.mark.parametrize("sent", [json.dumps(json.dumps('{"n": 7}')), json.dumps('{"n": 7}'), '{"n": 7}'])
def test_who_waits_hears_what_is_told_however_it_was_encoded(sent: str) -> None:
    run, _ = waiting()
    answer = run.next(run._event(15, Name="number", Input=sent))
    assert (answer["isDone"], answer["output"]) == (True, {"n": 7})
    cancelled = [
        one for one in json.loads(json.dumps(answer["actions"][0]))[0]["compoundActions"] if one.get("isCanceled")
    ]
    assert len(cancelled) == 1, "an open timer would keep the orchestration from ending"


def test_who_waits_goes_on_when_nothing_is_told() -> None:
    run, fire = waiting()
    answer = run.next(run._event(11, TimerId=0, FireAt=fire), seconds=60)
    assert answer["output"] == {"n": -1}


def test_what_is_told_and_cannot_be_read_has_a_code() -> None:
    run, _ = waiting()
    assert "unreadable-event" in run.next(run._event(15, Name="number", Input='"x"'))["error"]
