"""Commits that fail at any point (a full disk) lose nothing and do nothing twice: memory follows what is committed."""

import asyncio
import itertools
import json
import sqlite3
import threading
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import azure.durable_functions as df
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from local.host.core.clock import ManualClock
from local.host.durable.extension import DurableExtension
from local.host.durable.management import operations
from local.host.durable.management.refusals import AlreadyExists, Finished, NotFound, WrongState
from local.host.durable.model import entities
from local.host.durable.model.options import DurableOptions
from local.host.durable.replay import turn
from local.host.durable.sdk.inprocess import InProcessFunctions
from local.host.durable.taskhub import instances, orchestrations
from tests.in_memory import folder_in_memory

KEYS = ["a", "b"]
EXPECTED = {
    "chain": [1, 2],
    "fan": [0, 1, 2],
    "timed": "late",
    "parent": [[1, 2], 5],
    "caught": "failed",
    "retried": "gave up",
    "flaky": "healed",
}
STATEMENTS = ("BEGIN", "INSERT", "DELETE", "COMMIT", "SELECT")
REFUSALS = (sqlite3.OperationalError, Finished, NotFound, WrongState, AlreadyExists)


def make_app(healthy: threading.Event) -> df.DFApp:
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    def act(x):
        return x

    @app.activity_trigger(input_name="x")
    def fails(x):
        raise ValueError(x)

    @app.activity_trigger(input_name="x")
    def heals(x):
        if not healthy.is_set():
            raise ValueError("ill")
        return "healed"

    @app.entity_trigger(context_name="context")
    def counter(context):
        value = context.get_state(lambda: 0) + (context.get_input() or 0)
        context.set_state(value)
        context.set_result(value)

    add_orchestrations(app)
    add_waiting_orchestrations(app)
    return app


def add_orchestrations(app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def chain(context):
        return [(yield context.call_activity("act", 1)), (yield context.call_activity("act", 2))]

    @app.orchestration_trigger(context_name="context")
    def fan(context):
        return (yield context.task_all([context.call_activity("act", number) for number in range(3)]))

    @app.orchestration_trigger(context_name="context")
    def timed(context):
        yield context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
        return (yield context.call_activity("act", "late"))

    @app.orchestration_trigger(context_name="context")
    def parent(context):
        return [(yield context.call_sub_orchestrator("chain")), (yield context.call_activity("act", 5))]

    @app.orchestration_trigger(context_name="context")
    def caught(context):
        try:
            yield context.call_activity("fails", "x")
        except Exception:  # the SDK's own kind
            return "failed"


def add_waiting_orchestrations(app: df.DFApp) -> None:
    @app.orchestration_trigger(context_name="context")
    def retried(context):
        try:
            yield context.call_activity_with_retry("fails", df.RetryOptions(5000, 2), "x")
        except Exception:  # the SDK's own kind
            return "gave up"

    @app.orchestration_trigger(context_name="context")
    def flaky(context):
        return (yield context.call_activity("heals", "x"))

    @app.orchestration_trigger(context_name="context")
    def race(context):
        event = context.wait_for_external_event("go")
        timer = context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
        if (yield context.task_any([event, timer])) is timer:
            return "late"
        timer.cancel()
        return event.result

    @app.orchestration_trigger(context_name="context")
    def waits(context):
        return [(yield context.wait_for_external_event("go")), (yield context.wait_for_external_event("go"))]

    @app.orchestration_trigger(context_name="context")
    def calls(context):
        yield context.call_entity(df.EntityId("counter", "a"), "add", 1)
        context.signal_entity(df.EntityId("counter", "b"), "add", 1)
        if context.get_input() == "first":
            context.continue_as_new("second")


class Relaying(InProcessFunctions):
    """The entity `relay` passes what it is signalled on to `b`, for which the Python SDK has no call."""

    async def run_entity(self, name: str, context: str, instance_id: str) -> str:
        answer = await super().run_entity(name, context, instance_id)
        if not instance_id.endswith("@relay"):
            return answer
        inputs = [operation["input"] for operation in json.loads(context)["batch"]]
        signals = [{"target": {"name": "counter", "key": "b"}, "name": "add", "input": one} for one in inputs]
        return json.dumps({**json.loads(answer), "signals": signals})


class FullDisk:
    """A connection whose statements fail where the test says: `faults` counts down to each failure."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real
        self.faults: list[int] = []
        self.watched = True

    def execute(self, statement: str, *more: Any) -> sqlite3.Cursor:
        if self.watched and self.faults and statement.startswith(STATEMENTS):
            self.faults[0] -= 1
            if self.faults[0] < 0:
                del self.faults[0]
                raise sqlite3.OperationalError("database or disk is full")
        return self._real.execute(statement, *more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class VirtualTime(asyncio.SelectorEventLoop):
    """A loop that waits for nothing: where only time is to pass, it passes at once, the same way every time."""

    _ready: Any
    _scheduled: Any

    def __init__(self) -> None:
        super().__init__()
        self._time = 0.0

    def time(self) -> float:
        return self._time

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self._time = max(self._time, self._scheduled[0]._when)
        super()._run_once()  # pyright: ignore[reportAttributeAccessIssue] - asyncio's own loop has it


class FailingCommits(RuleBasedStateMachine):
    """Orchestrations, entities, timers and events under commits that fail, and processes that die."""

    running = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        self.folder = folder_in_memory()
        self.clock = ManualClock(datetime(2026, 5, 1, tzinfo=UTC))
        self.loop = VirtualTime()
        self.ids = itertools.count(1)
        self.patches = pytest.MonkeyPatch()
        for module in (operations, entities, instances, orchestrations, turn):
            self.patches.setattr(module, "uuid4", lambda: UUID(int=next(self.ids)))
        self.healthy = threading.Event()
        self.functions = Relaying(make_app(self.healthy).get_functions())
        self.counters: Counter[str] = Counter()
        self.events: dict[str, list[int]] = {}
        self.started: dict[str, str] = {}
        self.ended: set[str] = set()
        self.do(self.open())

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def open(self) -> None:
        options = DurableOptions.parse({"hubName": "unit", "maxEntityOperationBatchSize": 2})
        self.extension = DurableExtension(self.functions, options, Path(self.folder.name) / "hub.db", self.clock)
        self.hub: Any = self.extension._hub
        self.hub._db = self.disk = FullDisk(self.hub._db)
        self.operations = self.extension.operations
        await self.extension.start()

    async def die(self) -> None:
        running = self.extension._dispatcher
        running._stopping = True
        running._completed.clear()
        running._timers.stop()
        await asyncio.gather(*(one.stop(0) for one in (running._activities, running._turns, running._batches)))
        self.disk.faults.clear()
        self.hub.close()

    def accepted(self, operation: Any, *arguments: Any, **named: Any) -> Any:
        """What the operation answers; None when it was refused or failed, which its caller is told."""

        async def operate() -> Any:
            try:
                return operation(*arguments, **named) or True
            except REFUSALS:
                return None

        return self.do(operate())

    @rule(after=st.lists(st.integers(0, 12), min_size=1, max_size=4))
    def the_disk_fills(self, after):
        self.disk.faults += after

    @rule(key=st.sampled_from(KEYS), number=st.integers(1, 9))
    def signal(self, key, number):
        if self.accepted(self.operations.signal_entity, "counter", key, "add", json.dumps(str(number))):
            self.counters[key] += number

    @rule(number=st.integers(1, 9))
    def signal_that_signals(self, number):
        if self.accepted(self.operations.signal_entity, "counter", "relay", "add", json.dumps(str(number))):
            self.counters["b"] += number

    @rule(target=running, name=st.sampled_from([*EXPECTED, "calls", "waits", "race"]))
    def start(self, name):
        value = json.dumps(json.dumps("first")) if name == "calls" else None
        instance_id = self.accepted(self.operations.start, name, value)
        if instance_id is None:
            return multiple()
        self.started[instance_id] = name
        if name == "calls":
            self.counters.update({"a": 2, "b": 2})
        return instance_id

    @rule(instance_id=running, number=st.integers(0, 9))
    def raise_event(self, instance_id, number):
        if self.started[instance_id] in {"waits", "race"} and self.accepted(
            self.operations.raise_event, instance_id, "go", json.dumps(number)
        ):
            self.events.setdefault(instance_id, []).append(number)

    @rule(instance_id=running)
    def terminate(self, instance_id):
        if self.started[instance_id] != "calls" and self.accepted(self.operations.terminate, instance_id, "enough"):
            self.ended.add(instance_id)

    @rule(instance_id=running)
    def suspend(self, instance_id):
        # The signal before its continue_as_new would be lost, as in Azure, if both were of the turn that suspends it.
        if self.started[instance_id] != "calls":
            self.accepted(self.operations.suspend, instance_id, None)

    @rule(instance_id=running)
    def resume(self, instance_id):
        self.accepted(self.operations.resume, instance_id, None)

    @rule(instance_id=running)
    def rewind(self, instance_id):
        self.accepted(self.operations.rewind, instance_id, None)

    @rule(instance_id=running)
    def start_over(self, instance_id):
        name = self.started[instance_id]
        if name != "calls" and self.accepted(self.operations.restart, instance_id, new_id=False):
            self.ended.discard(instance_id)
            self.events.pop(instance_id, None)

    @rule(rounds=st.integers(1, 30))
    def time_passes_for_the_loop(self, rounds):
        async def turn_over() -> None:
            for _ in range(rounds):
                await asyncio.sleep(0)

        self.do(turn_over())

    @rule()
    def a_moment_passes(self):
        self.do(asyncio.sleep(0.3))

    @rule(seconds=st.integers(1, 90))
    def the_clock_moves(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def the_process_dies_and_the_next_one_starts(self):
        self.do(self.die())
        self.do(self.open())

    @invariant()
    def memory_holds_what_is_committed(self):
        self.disk.watched = False
        rows = {table: self.numbers(table) for table in ("inbox", "timers")}
        for live in self.extension._dispatcher.instances._live.values():
            kept = self.hub.instance(live.state.instance_id)
            if kept is None:
                assert live.state.is_entity
                assert live.state.input_text is None
            else:
                left_out = {"history": None, "texts": None}
                assert asdict(live.state) | left_out == asdict(kept) | left_out
                if live.state.texts is not None and not live.state.is_entity:
                    assert live.state.texts == self.hub.history(live.state.instance_id)
            for message in live.inbox:
                assert message.number in rows["inbox"] or message.timer in rows["timers"]
        self.disk.watched = True

    def numbers(self, table):
        return {number for (number,) in self.disk._real.execute(f"SELECT number FROM {table}")}

    def teardown(self):
        try:
            self.disk.faults.clear()
            self.do(self.come_to_rest())
            self.check()
            self.do(self.die())
            self.do(self.open())
            self.do(self.come_to_rest())
            self.check()
        finally:
            self.do(self.die())
            self.loop.close()
            self.patches.undo()
            self.folder.cleanup()

    async def come_to_rest(self):
        self.healthy.set()
        for instance_id, name in self.started.items():
            while name == "waits" and instance_id not in self.ended and len(self.events.get(instance_id, [])) < 2:
                self.operations.raise_event(instance_id, "go", "7")
                self.events.setdefault(instance_id, []).append(7)
        for _ in range(400):
            await asyncio.sleep(0.5)
            inboxes = [live.inbox for live in self.extension._dispatcher.instances._live.values()]
            if self.extension.idle and not any(inboxes) and not self.steered():
                if (wake := self.clock.next_wake()) is None:
                    return
                self.clock.move_to(max(wake, self.clock.now()))
        raise AssertionError("It does not come to rest.")

    def steered(self) -> bool:
        """Whether something had to be resumed or rewound that would else never complete."""
        moved = False
        for instance_id in self.started:
            status = self.operations.status(instance_id).status
            if status == "Suspended":
                self.operations.resume(instance_id, None)
            elif status == "Failed":
                self.operations.rewind(instance_id, None)
            moved = moved or status in {"Suspended", "Failed"}
        return moved

    def check(self):
        for instance_id, name in self.started.items():
            found = self.operations.status(instance_id)
            if found.status == "Terminated":
                assert instance_id in self.ended
                assert found.output == "enough"
                continue
            output = json.loads(found.output or "null")
            assert found.status == "Completed", name
            if name == "race":
                assert output in ["late", *self.events.get(instance_id, [])[:1]]
            elif name != "waits":
                assert output == EXPECTED.get(name), name
            elif instance_id not in self.ended:
                assert output == self.events[instance_id][:2]
            history = self.operations.history(found)
            scheduled = [event["EventId"] for event in history if event["EventType"] == 4]
            outcomes = [event["TaskScheduledId"] for event in history if event["EventType"] in {5, 6}]
            assert sorted(scheduled) == sorted(outcomes)
        for key in KEYS:
            if self.counters[key]:
                assert self.operations.entity_state("counter", key) == str(self.counters[key])
        assert [self.numbers(table) for table in ("inbox", "timers", "activities")] == [set(), set(), set()]


def test_whatever_commit_fails_nothing_is_lost_and_nothing_is_done_twice():
    run_state_machine_as_test(FailingCommits, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))


async def test_a_counter_signalled_once_under_two_failing_commits_reads_one(lab, monkeypatch):
    monkeypatch.setattr(instances, "RETRY_SECONDS", 0.001)
    one = await lab(make_app(threading.Event()))
    one.operations.signal_entity("counter", "a", "add", json.dumps("1"))
    hub = one.extension._hub
    hub._db = disk = FullDisk(hub._db)
    disk.faults = [3, 3]
    async with asyncio.timeout(10):
        while disk.faults or not one.extension.idle:  # noqa: ASYNC110 - the engine has no event for that
            await asyncio.sleep(0.005)
    assert one.operations.entity_state("counter", "a") == "1"
