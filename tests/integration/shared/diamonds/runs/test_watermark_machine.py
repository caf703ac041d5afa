"""The watermark is never ahead of the data, whatever befalls the runs that move it.

The app's own orchestrators and steps run here, one step after the other, on a clock that the test moves. Between two
steps diamonds change, steps fail or are delivered twice, runs are killed, cancelled and taken up again.
"""

import asyncio
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from activities.diamonds import ingestion, pricing
from activities.diamonds import runs as steps
from orchestrators.diamonds import run as orchestrators
from shared.diamonds.ingestion import heatmap, pages
from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.paging import RETREAT_PAGES, OffsetPages
from shared.diamonds.reporting import alerts
from shared.diamonds.runs import lifecycle, orphans, reports, watermark
from shared.diamonds.runs.models import EPOCH, ConsolidateRun, RetryRun, RunStatus, StartRun
from shared.platform.durable import ACTIVITIES, ORCHESTRATIONS, Failure, Nothing
from shared.platform.durable.failures import AttemptFailed
from shared.platform.durable.handles import Envelope
from shared.platform.errors import Conflict, TerminalError, TransientError
from shared.platform.stores.blobs import close_blobs
from shared.platform.stores.postgres import close_pools
from tests.fresh_settings import forget_settings
from tests.present import present

OVERLAP = 10
PAGE = 2
MOST_LEAVE = RETREAT_PAGES * PAGE
"""More may not leave the list while it is read, or the reader may skip some: what it promises to cope with."""
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class Version:
    """A stone as it is since `changed`; the supplier shows it only from `shown` on, for which the overlap is there."""

    changed: datetime
    shown: datetime
    price: int
    serial: int


class Supplier:
    """Shows stones by the time of their last change, on a clock of its own that the whole app goes by."""

    def __init__(self, stone):
        self.stone, self.now, self.versions, self.serials = stone, NOON, {}, count(1)
        self.before_page = lambda: None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    def change(self, name, price, late):
        shown = self.now + timedelta(seconds=late)
        version = Version(self.now, max([shown, *(old.shown for old in self.versions.get(name, []))]), price, 0)
        version.serial = next(self.serials)
        self.versions.setdefault(name, []).append(version)

    def coming(self):
        return sum(version.shown > self.now for known in self.versions.values() for version in known)

    def _in(self, prices, window):
        now = [(name, [v for v in known if v.shown <= self.now]) for name, known in self.versions.items()]
        for name, shown in now:
            if shown and window.since <= shown[-1].changed <= window.until:
                price = shown[-1].price
                if prices is None or prices.minimum <= price < prices.maximum:
                    yield name, shown[-1]

    async def count(self, prices, window):
        return sum(1 for _ in self._in(prices, window))

    def read(self, prices, window, start):
        async def page(offset, limit):
            self.before_page()
            found = list(self._in(prices, window))[offset : offset + limit]
            return [self._stone(name, version) for name, version in found]

        return OffsetPages(page, start, PAGE)

    def _stone(self, name, version):
        stone = deepcopy(self.stone(name, price=version.price))
        stone.payload["markup_price"] = version.serial
        return stone


class Context:
    """What the orchestrators see of the host. Each task is a generator: of the activities that it needs done."""

    def __init__(self, supplier):
        self.supplier = supplier

    @property
    def current_utc_datetime(self):
        return self.supplier.now

    def set_custom_status(self, _):
        pass

    def call_activity(self, name, payload):
        def task():
            return (yield name, payload)

        return task

    def call_sub_orchestrator(self, name, payload):
        def task():
            child = ORCHESTRATIONS[name]
            try:
                value = yield from self.play(child, child.takes.model_validate_json(payload))
            except TerminalError as error:
                return Envelope(failure=Failure.of(error)).model_dump_json()
            return Envelope(value=value.model_dump_json()).model_dump_json()

        return task

    def create_timer(self, fire_at):
        def task():
            self.supplier.now = max(self.supplier.now, fire_at)
            yield from ()

        return task

    def wait_for_external_event(self, _):
        return None

    def task_any(self, tasks):
        """Nobody tells anything, so that a wait for it ends with its time, which is the last task."""

        def task():
            if len(tasks) == 2 and tasks[0] is None:
                yield from tasks[1]()
            return tasks[-1]

        return task

    def play(self, orchestration, given):
        orchestrator = orchestration.run(self, given)
        go_on, value = orchestrator.send, None
        while True:
            try:
                task = go_on(value)
            except StopIteration as end:
                return end.value
            try:
                go_on, value = orchestrator.send, (yield from task())
            except AttemptFailed as error:
                go_on, value = orchestrator.throw, error


prices = st.integers(1, 400)
seconds = st.sampled_from([0, 1, OVERLAP, 3 * OVERLAP])
late = st.sampled_from([0, OVERLAP - 1])
FAULTS = ["none", "none", "lost", "twice", "at once", "refused", "away"]
TROUBLES = ["none", "busy", "refused", "refused", "change", "sell"]


def machine(runner, supplied, diamonds, cap):  # noqa: C901 - one class; its rules need what the test was given
    class Runs(RuleBasedStateMachine):
        @initialize(dollars=st.lists(prices, min_size=8, max_size=14, unique=True))
        def start(self, dollars):
            self.feed = f"f{uuid4().hex[:20]}"
            self.supplier = supplied(Supplier(diamonds.stone))
            self.names = count()
            self.work, self.next, self.run_id = None, None, None
            self.runs, self.delivered, self.advances = [], [], []
            self.left = 0
            self.mark = EPOCH
            self.list_stones(dollars)

        # What happens at the supplier

        @rule(data=st.data(), listed=st.lists(prices, max_size=3), left=st.lists(late, max_size=2), seconds=seconds)
        def the_supplier_goes_on(self, data, listed, left, seconds):
            self.list_stones(listed)
            for shown_late in left:
                name = data.draw(st.sampled_from(sorted(self.supplier.versions)))
                self.leave(name, data.draw(st.none() | prices), shown_late)
            self.supplier.now += timedelta(seconds=seconds)

        def list_stones(self, dollars):
            for price in dollars:
                self.supplier.change(f"s{next(self.names):04}", price, 0)

        def leave(self, name, price, late=0):
            if len(self.supplier.versions) == 1 or self.left >= MOST_LEAVE or self.supplier.coming() >= MOST_LEAVE // 2:
                return
            self.left += 1
            if price is None:
                del self.supplier.versions[name]
            else:
                self.supplier.change(name, price, late)

        # What people and the host do

        def begin(self, data):
            kind = data.draw(st.sampled_from(["full", "incremental", "incremental", "retry", "consolidate", "force"]))
            if kind in ("full", "incremental"):
                cap(data.draw(st.sampled_from([0, 0, 0, 4])))
                orphan = runner.run(orphans.running()).get(self.feed)
                abandoned = orphan.run_id if orphan else None
                request = StartRun(run_id=uuid4(), feed=self.feed, run_type=kind, abandoned=abandoned)
                self.runs.append(request.run_id)
                self.set_to_work(orchestrators.diamond_run, request)
            elif self.runs:
                run_id = data.draw(st.sampled_from(self.runs))
                if kind == "retry":
                    self.set_to_work(orchestrators.retry_run, RetryRun(run_id=run_id))
                else:
                    forced = ConsolidateRun(run_id=run_id, force=kind == "force")
                    self.set_to_work(orchestrators.consolidate_run, forced)

        def set_to_work(self, orchestration, request):
            self.run_id = request.run_id
            self.work = Context(self.supplier).play(orchestration, request)
            self.delivered, self.left = [], self.supplier.coming()
            self.hear(None)

        @rule(
            data=st.data(),
            number=st.sampled_from([3, 30, 30, 30]),
            fault=st.sampled_from(FAULTS),
            trouble=st.sampled_from(TROUBLES),
            page=st.integers(1, 6),
        )
        def begin_or_go_on(self, data, number, fault, trouble, page):
            if not self.work:
                self.begin(data)
            self.supplier.before_page = self.at_page(page, trouble, data)
            for left in reversed(range(number)):
                if self.work:
                    self.do(fault if not left else "none")
            self.supplier.before_page = lambda: None

        def at_page(self, number, trouble, data):
            pages = count(1)

            def before_page():
                if next(pages) != number:
                    return
                if trouble == "busy":
                    raise TransientError("The supplier is busy.")
                if trouble == "refused":
                    raise TerminalError("The supplier refuses.", code="supplier-refused")
                if names := sorted(self.supplier.versions):
                    self.leave(data.draw(st.sampled_from(names)), None if trouble == "sell" else data.draw(prices))

            return before_page

        @precondition(lambda self: self.work)
        @rule(killed=st.booleans())
        def kill_or_cancel(self, killed):
            if killed:
                self.work = None
                return
            with suppress(Conflict):
                runner.run(self.cancel_it())

        async def cancel_it(self):
            if self.run_id is not None and self.run_id in await self.known():
                await lifecycle.cancel_run(self.run_id)

        async def known(self):
            return {one.run_id for one in (await reports.list_runs(self.feed, limit=100))[0]}

        @precondition(lambda self: self.delivered or self.advances)
        @rule(number=st.integers(0, 10_000))
        def deliver_an_old_message_again(self, number):
            # How many there are depends on how far a time box came: the choice among them must not.
            known = [*self.delivered, *self.advances]
            name, payload = known[number % len(known)]
            with suppress(AttemptFailed):
                runner.run(ACTIVITIES[name].answer(payload))

        # One step

        def do(self, fault):
            assert self.next is not None
            name, payload = self.next
            self.supplier.now += timedelta(milliseconds=300)
            if fault == "away":
                return self.hear(None, AttemptFailed(TransientError("A service is away.")))
            if fault == "refused" or name == "announce":
                failure = Failure(code="refused", message="no") if fault == "refused" else None
                return self.hear(Envelope(value=Nothing().model_dump_json(), failure=failure).model_dump_json())
            (self.advances if name == "advance_watermark" else self.delivered).append((name, payload))
            try:
                answer = runner.run(self.deliver(ACTIVITIES[name], payload, fault))
            except AttemptFailed as error:
                return self.hear(None, error)
            if fault == "lost":
                return self.hear(None, AttemptFailed(TransientError("The host went down before it wrote this down.")))
            return self.hear(answer)

        async def deliver(self, activity, payload, fault):
            if fault == "at once":
                answers = await asyncio.gather(*(activity.answer(payload) for _ in range(2)), return_exceptions=True)
                for answer in answers:
                    if isinstance(answer, Exception):
                        raise answer
                return answers[1]
            if fault == "twice":
                await activity.answer(payload)
            return await activity.answer(payload)

        def hear(self, answer, error=None):
            try:
                self.next = present(self.work).throw(error) if error else present(self.work).send(answer)
            except (StopIteration, TerminalError):
                self.work = None

        # What always holds

        @invariant()
        def the_watermark_is_not_ahead_of_the_data(self):
            runner.run(self.check())

        async def check(self):
            mark = await watermark.read(self.feed)
            if mark is None:
                return
            assert mark.last_updated_at >= self.mark, "it has moved back"
            self.mark = mark.last_updated_at
            expected = {
                name: known[-1].serial
                for name, known in self.supplier.versions.items()
                if known[-1].changed <= self.mark
            }
            raw = "select supplier_stone_id, (payload ->> 'markup_price')::int from diamonds.raw_diamonds"
            priced = "select supplier_stone_id, (attributes ->> 'markup_price')::int from diamonds.diamonds"
            for table in (f"{raw} where feed = %s", f"{priced} where feed = %s and status = 'active'"):
                stored = dict(await diamonds.fetch(table, self.feed))
                assert {name: stored.get(name, "nothing") for name in expected} == expected, (self.mark, table)
            completed = [one for one in (await reports.list_runs(self.feed, limit=100))[0] if one.watermark_after]
            assert all(one.watermark_after and one.watermark_after <= self.mark for one in completed)
            assert all(one.status is RunStatus.COMPLETED for one in completed)

    return Runs


def test_whatever_befalls_the_runs_what_changed_before_the_watermark_is_stored_and_priced(
    migrated, storage, diamonds, monkeypatch
):
    def supplied(supplier):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return supplier.now.astimezone(tz)

        monkeypatch.setattr(steps, "datetime", Clock)
        monkeypatch.setattr(ingestion, "supplier", lambda _: supplier)
        return supplier

    def cap(diamonds_at_most):
        monkeypatch.setenv("MAX_SCHEDULER_RECORDS", str(diamonds_at_most))
        forget_settings()

    async def no_mail(_alert, _via=None):
        return False

    monkeypatch.setenv("WATERMARK_CONTAINER", f"watermarks-{uuid4()}")
    monkeypatch.setenv("WATERMARK_OVERLAP_SECONDS", str(OVERLAP))
    monkeypatch.setenv("PARTIAL_SHARE", "0.3")
    monkeypatch.setenv("DELETE_SHARE_LIMIT", "0.6")
    monkeypatch.setattr(alerts, "send_once", no_mail)
    monkeypatch.setattr(pricing, "mapping", lambda _: NIVODA)
    monkeypatch.setattr(pricing, "price_unit", lambda _: "cents")
    monkeypatch.setattr(pages, "BATCH_ROWS", PAGE)
    monkeypatch.setattr(heatmap, "DIAMONDS_PER_WORKER", 5)
    monkeypatch.setattr(heatmap, "FINE_END", 400)
    monkeypatch.setattr(orchestrators, "CONSOLIDATION_WORKERS", 2)
    with asyncio.Runner() as runner:
        try:
            run_state_machine_as_test(
                machine(runner, supplied, diamonds, cap),
                settings=settings(
                    max_examples=20,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
                ),
            )
        finally:
            runner.run(close_blobs())
            runner.run(close_pools())
