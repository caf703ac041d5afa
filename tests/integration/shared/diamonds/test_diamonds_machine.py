"""Runs of a feed under everything at once: faults, crashes, duplicate deliveries, diamonds that change meanwhile."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any
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

from shared.diamonds.ingestion import pages
from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.ingestion.paging import RETREAT_PAGES
from shared.diamonds.pricing import consolidation, failed_rows
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.pricing.terms import PricingRule
from shared.diamonds.runs import lifecycle, reports, retries
from shared.diamonds.runs.missing import mark_missing_deleted
from shared.diamonds.runs.models import PartitionStatus, RunStatus
from shared.platform.errors import TransientError
from shared.platform.stores.postgres import close_pools, database
from tests.unit.shared.diamonds.pricing.oracle import Unpriced, price

MAPPINGS = [NIVODA, replace(NIVODA, treated=("diamond", "treated"))]
"""Two that read the same of these stones, so that going from one to the other only tries failed rows again."""
PAGE = 3
EDGES = (0, 10, 20, 2**31 - 1)
RULES = [
    PricingRule(id=1, priority=1, carat_max=Decimal("0.50"), markup_ratio=Decimal("1.3333"), rating=3),
    PricingRule(id=2, priority=2, shapes=("OVAL",), markup_ratio=Decimal("1.05")),
]


class Crash(Exception):
    """The process ends here."""


class Fuse:
    """Burns down by one at every statement, page and commit, and crashes when it has burned."""

    def __init__(self, length):
        self.length = length

    def burn(self):
        self.length -= 1
        if self.length == 0:
            raise Crash

    @asynccontextmanager
    async def connect(self, connecting):
        self.burn()
        async with connecting as connection:
            yield Wired(connection, self)
            self.burn()
        self.burn()


class Wired:
    """A connection that burns a fuse."""

    def __init__(self, connection, fuse):
        self.connection, self.fuse = connection, fuse

    async def execute(self, *arguments, **options):
        self.fuse.burn()
        return await self.connection.execute(*arguments, **options)

    def cursor(self, **options):
        self.fuse.burn()
        return self.connection.cursor(**options)


crashes = st.one_of(st.just(0), st.integers(1, 40))
boxes = st.sampled_from([1, 5, 20, 10_000])
prices = st.integers(0, 29)


def machine(runner, diamonds):  # noqa: C901 - one class; its rules need what the test was given
    class Feed(RuleBasedStateMachine):
        @initialize()
        def start(self):
            self.feed = f"f{uuid4().hex[:20]}"
            self.shop = diamonds.Shop(page_size=PAGE)
            self.left = set()  # out of the window of the run: changed or listed since it began
            self.shop._in = self.offered
            self.run: Any = None
            self.names = count()

        def offered(self, within):
            return [
                stone
                for name, stone in self.shop.stones.items()
                if within.minimum * 100 <= stone.payload["price"] < within.maximum * 100 and name not in self.left
            ]

        # What happens at the supplier

        @rule(
            prices=st.lists(prices, min_size=5, max_size=40), kind=st.sampled_from(["good", "good", "bad", "nameless"])
        )
        def list_stones(self, prices, kind):
            for dollars in prices:
                name = f"s{next(self.names):04}"
                stone = diamonds.stone(
                    "" if kind == "nameless" else name, price=dollars + 1, shape="OVAL" if dollars % 2 else "ROUND"
                )
                stone.payload["discount"] = name  # makes each payload another
                stone.payload["diamond"]["certificate"]["carats"] = "none" if kind == "bad" else 0.25 + dollars / 40
                self.shop.stones[name] = stone
                if self.run:
                    self.left.add(name)

        @precondition(lambda self: self.shop.stones)
        @rule(data=st.data(), sold=st.booleans(), dollars=prices)
        def change_or_sell(self, data, sold, dollars):
            self.leave(data.draw(st.sampled_from(sorted(self.shop.stones))), sold, dollars)

        def leave(self, name, sold, dollars=5):
            stone = self.shop.stones[name]
            if self.run and name not in self.left:
                number = self.number(stone)
                if self.gone[number] >= RETREAT_PAGES * PAGE:
                    return  # more than the reader promises to cope with
                self.gone[number] += 1
                self.steady.pop(name, None)
            if sold:
                del self.shop.stones[name]
                return
            stone.payload["price"] = (dollars + 1) * 100
            stone.payload["markup_price"] = next(self.names)
            if self.run:
                self.left.add(name)

        def number(self, stone):
            dollars = stone.payload["price"] // 100
            return sum(dollars >= edge for edge in EDGES[1:])

        # What the app does

        @precondition(lambda self: not self.run)
        @rule()
        def begin(self):
            self.left.clear()
            self.run = runner.run(diamonds.begin(*EDGES, feed=self.feed, expected=20))
            self.steady = {name: stone.payload.copy() for name, stone in self.shop.stones.items()}
            self.gone = [0, 0, 0]
            self.marks: list[tuple[int, ...]] = [(0, 0, False)] * 3

        async def deliver(self, number, seconds, fuse, busy=(), leaving=()):
            ticks, pages, leaving = count(), count(1), list(leaving)
            before = (await reports.progress(self.run.plan.run_id))[number]
            gone, self.gone[number] = self.gone[number], 0

            def before_page():
                fuse.burn()
                page = next(pages)
                if page in busy:
                    raise TransientError("The supplier is busy.")
                if leaving and gone + self.gone[number] < RETREAT_PAGES * PAGE:
                    # Whoever is at that place of the list now is sold before the page is sent.
                    inside = [n for n, s in self.shop.stones.items() if self.number(s) == number and n not in self.left]
                    if (place := leaving.pop()) < len(inside):
                        self.leave(inside[place], sold=True)

            self.shop.before_page = before_page
            with suppress(Crash, TransientError), diamonds.through(fuse.connect):
                await copy_pages(
                    self.shop,
                    self.run.task(number, seconds=seconds),
                    clock=lambda: next(ticks),
                )
            after = (await reports.progress(self.run.plan.run_id))[number]
            if (after.sweep, after.next_offset) == (before.sweep, before.next_offset):
                self.gone[number] += gone

        @precondition(lambda self: self.run)
        @rule(
            number=st.integers(0, 2),
            seconds=boxes,
            fuse=crashes,
            busy=st.sets(st.integers(1, 9), max_size=2),
            leaving=st.lists(st.integers(0, 20), max_size=6),
            longest=st.integers(1, PAGE),
        )
        def deliver_once(self, *, number, seconds, fuse, busy, leaving, longest):
            self.shop.longest = lambda: longest
            runner.run(self.deliver(number, seconds, Fuse(fuse), busy, leaving))

        @precondition(lambda self: self.run)
        @rule(number=st.integers(0, 2), seconds=boxes, fuses=st.tuples(crashes, crashes))
        def deliver_twice_at_once(self, number, seconds, fuses):
            async def both():
                await asyncio.gather(*(self.deliver(number, seconds, Fuse(fuse)) for fuse in fuses))

            runner.run(both())

        @precondition(lambda self: self.run)
        @rule(number=st.integers(0, 2))
        def give_a_partition_up(self, number):
            runner.run(lifecycle.partition_failed(self.run.plan.run_id, f"p{number:03}", "no"))

        @precondition(lambda self: self.run)
        @rule(numbers=st.sets(st.integers(0, 2), min_size=1), deliveries=st.integers(1, 3))
        def hold_the_run_and_retry(self, numbers, deliveries):
            runner.run(self.retry(numbers, deliveries))

        async def retry(self, numbers, deliveries):
            run_id, attempt = self.run.plan.run_id, uuid4()
            for number in numbers:
                await lifecycle.partition_failed(run_id, f"p{number:03}", "no")
            failed = [p.partition_id for p in await reports.progress(run_id) if p.status == PartitionStatus.FAILED]
            await lifecycle.finish_run(run_id, RunStatus.HELD)
            if not failed:
                assert await retries.resume_run(run_id, attempt) == self.run.plan
            for delivery in range(deliveries if failed else 0):
                again = {p.partition_id for p in await retries.reopen_run(run_id, attempt)}
                assert again == set(failed) or (delivery and again > set(failed))
            for number in (int(name[1:]) for name in failed):
                self.marks[number], self.gone[number] = (0, 0), 0

        @precondition(lambda self: self.run)
        @rule(fuses=st.lists(crashes, min_size=1, max_size=3), seconds=boxes, mapping=st.sampled_from(MAPPINGS))
        def price_rows(self, fuses, seconds, mapping):
            runner.run(self.price_all(fuses, seconds, mapping))

        @rule()
        def try_failed_rows_again(self):
            runner.run(failed_rows.requeue(self.feed))

        async def price_all(self, fuses, seconds=10_000, mapping=NIVODA):
            async def one(worker, fuse):
                ticks = count()
                plan = self.run.plan
                task = ConsolidateRows(run_id=plan.run_id, feed=plan.feed, worker=f"w{worker}", seconds=seconds)
                with suppress(Crash), diamonds.through(Fuse(fuse).connect):
                    await consolidate(task, mapping, "cents", clock=lambda: next(ticks))

            await asyncio.gather(*(one(worker, fuse) for worker, fuse in enumerate(fuses)))

        @precondition(lambda self: self.run)
        @rule()
        def complete(self):
            runner.run(self.to_the_end())
            self.run = None

        async def to_the_end(self):
            plan = self.run.plan
            self.shop.longest = lambda: PAGE
            for number in range(3):
                await self.deliver(number, 10_000, Fuse(0))
            await self.price_all([0, 0])
            for partition in await reports.progress(plan.run_id):
                assert (partition.status, partition.error) == (PartitionStatus.COMPLETED, None)
            # From here on only what this run has seen is stored.
            missing = await mark_missing_deleted(plan.run_id, 1.0)
            assert missing.deleted
            stored = {
                payload["discount"]: (payload, status)
                for payload, status in await diamonds.fetch(
                    "select payload, consolidation_status from diamonds.raw_diamonds where feed = %s", self.feed
                )
            }
            for name, payload in self.steady.items():
                assert name in stored, f"{name} was offered all the time and is not stored"
                sent = self.shop.stones[name].payload if name in self.shop.stones else payload
                assert stored[name][0] == sent
            assert {status for _, status in stored.values()} <= {"done", "failed"}
            seen = await self.sightings("supplier_stone_id")
            active = "select supplier_stone_id from diamonds.diamonds where feed = %s and status = 'active'"
            assert {name for (name,) in await diamonds.fetch(active, self.feed)} <= seen
            summary = await reports.summary(plan.run_id)
            assert summary.ingested == summary.consolidated + summary.failed == len(seen)
            assert await lifecycle.finish_run(plan.run_id, RunStatus.COMPLETED) == RunStatus.COMPLETED
            ended = await reports.summary(plan.run_id)
            assert ended == summary.model_copy(update={"status": ended.status, "completed_at": ended.completed_at})

        # What always holds

        async def sightings(self, column):
            query = f"select {column} from diamonds.run_sightings where run_id = %s"
            return {row[0] if len(row) == 1 else row for row in await diamonds.fetch(query, self.run.plan.run_id)}

        @precondition(lambda self: self.run)
        @invariant()
        def counters_are_rows_and_marks_move_forward(self):
            async def check():
                pairs = await self.sightings("partition_id, supplier_stone_id")
                raw = dict(
                    await diamonds.fetch(
                        "select supplier_stone_id, consolidation_status from diamonds.raw_diamonds where feed = %s",
                        self.feed,
                    )
                )
                partitions = await reports.progress(self.run.plan.run_id)
                for number, partition in enumerate(partitions):
                    assert partition.records == sum(owner == partition.partition_id for owner, _ in pairs)
                    mark = (partition.sweep, partition.next_offset, partition.status is PartitionStatus.COMPLETED)
                    assert mark >= self.marks[number]
                    self.marks[number] = mark
                statuses = [raw[name] for name in {name for _, name in pairs}]
                summary = await reports.summary(self.run.plan.run_id)
                assert summary.ingested == len(statuses)
                assert (summary.consolidated, summary.failed) == (statuses.count("done"), statuses.count("failed"))
                assert summary.pending == statuses.count("pending")
                assert "processing" not in raw.values()

            runner.run(check())

        @invariant()
        def every_price_is_the_rules(self):
            async def check():
                for shape, carats, grown, value, *priced in await diamonds.fetch(
                    "select shape, carats, lab_grown, price_model_price, retail_price, price_per_carat, markup_ratio,"
                    " rating from diamonds.diamonds where feed = %s",
                    self.feed,
                ):
                    stone = Unpriced(feed=self.feed, shape=shape, carats=carats, lab_grown=grown, price=value)
                    expected = price(stone, RULES)
                    assert priced == [
                        expected.retail_price,
                        expected.price_per_carat,
                        expected.markup_ratio,
                        expected.rating,
                    ]

            runner.run(check())

    return Feed


async def store_rules():
    async with database() as connection:
        for each in RULES:
            await connection.execute(
                "insert into diamonds.pricing_rules (priority, carat_max, shapes, markup_ratio, rating)"
                " values (%(priority)s, %(carat_max)s, %(shapes)s, %(markup_ratio)s, %(rating)s)",
                each.model_dump() | {"shapes": each.shapes and list(each.shapes)},
            )


def test_whatever_happens_each_diamond_is_stored_once_counted_once_and_priced_by_the_rule(
    migrated, diamonds, monkeypatch
):
    monkeypatch.setattr(pages, "BATCH_ROWS", 5)
    monkeypatch.setattr(consolidation, "CLAIM_ROWS", 4)
    with asyncio.Runner() as runner:
        try:
            runner.run(store_rules())
            run_state_machine_as_test(
                machine(runner, diamonds),
                settings=settings(
                    max_examples=30,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
                ),
            )
        finally:
            runner.run(close_pools())
