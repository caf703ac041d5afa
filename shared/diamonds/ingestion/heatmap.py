"""Where on the price scale the diamonds lie, and how to cut that scale into even shares. Pure planning: `count` asks.

Suppliers count diamonds in a price range quickly but page through them slowly, so a run first draws this histogram.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from itertools import pairwise
from math import ceil
from typing import Any, TypeVar

from shared.diamonds.ingestion.models import Bucket
from shared.diamonds.runs.models import PRICES_END, Partition, Partitions, PriceRange, RunType

T = TypeVar("T")
Count = Callable[[PriceRange], Coroutine[Any, Any, int]]
"""Asks the supplier how many diamonds of the run's update window lie in a price range."""

FINE_END = 20_000
FINE_STEP = 100
SCALE_END = 250_000
FIRST_STEP = 500
LEAST_STEP, MOST_STEP, MOST_EMPTY_STEP = 200, 50_000, 100_000
EMPTY_FACTOR = 5
DIAMONDS_PER_STEP = 500

DIAMONDS_PER_WORKER = 1_000
MOST_WORKERS = {"full": 30, "incremental": 10}
CUT_SLACK = 0.1
"""How far a cut may lie from its ideal place, in targets: two of them are well within the quarter that is asked for."""


async def plan(count: Count, run_type: RunType, max_records: int = 0) -> Partitions:
    """Draw the histogram and cut it: the shares of a run, with the number of count queries that it took."""
    queries = 0

    async def counted(prices: PriceRange) -> int:
        nonlocal queries
        queries += 1
        return await count(prices)

    shares = await partition(await draw(counted), counted, run_type, max_records)
    partitions = await without_gaps(shares.partitions, counted)
    return shares.model_copy(update={"partitions": partitions, "counts_asked": queries})


async def draw(count: Count) -> list[Bucket]:
    """The histogram of the whole feed in ascending order, without its empty buckets.

    Below 20,000 dollars the steps are 100 wide and counted concurrently (`count` limits its own rate); from there to
    250,000 each width follows from the count before it; what is dearer is one bucket. At most 1,351 queries.

    Raises:
        Whatever `count` raises, once the other queries are cancelled.
    """
    fine = [_buckets(count, low, low + FINE_STEP) for low in range(0, FINE_END, FINE_STEP)]
    drawn = await _at_once([*fine, _coarse(count), _buckets(count, SCALE_END, PRICES_END)])
    return [bucket for buckets in drawn for bucket in buckets if bucket.count]


async def without_gaps(partitions: list[Partition], count: Count) -> list[Partition]:
    """The shares, widened by a dollar each if the supplier has diamonds that lie in none of them.

    Suppliers take ranges of whole dollars, both ends included: [0, 99], [100, 199]. One that knows cents finds a
    diamond of 99.50 in neither. Then the shares hold less than one range over all of them, and each is asked for with
    the first dollar of the next: a diamond of exactly that price comes twice, and is stored and counted once.

    All are counted before and after the shares, so that what comes or goes meanwhile cannot make up for a gap; at
    worst it widens shares that had none.
    """
    if len(partitions) == 1:
        return partitions
    whole = PriceRange(minimum=partitions[0].prices.minimum, maximum=partitions[-1].prices.maximum)
    before = await count(whole)
    parts = await _at_once([count(share.prices) for share in partitions])
    if max(before, await count(whole)) <= sum(parts):
        return partitions
    wider = [
        share.model_copy(update={"prices": PriceRange(minimum=share.prices.minimum, maximum=share.prices.maximum + 1)})
        for share in partitions[:-1]
    ]
    return [*wider, partitions[-1]]


async def _at_once(questions: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """All answers, in the order of the questions; the first error, once the other questions are cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(question) for question in questions]
    except ExceptionGroup as failures:  # the caller knows one count and its errors, not the group
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def _buckets(count: Count, minimum: int, maximum: int) -> list[Bucket]:
    return [await _bucket(count, minimum, maximum)]


async def _bucket(count: Count, minimum: int, maximum: int) -> Bucket:
    prices = PriceRange(minimum=minimum, maximum=maximum)
    return Bucket(prices=prices, count=await count(prices))


async def _coarse(count: Count) -> list[Bucket]:
    buckets: list[Bucket] = []
    low, step = FINE_END, FIRST_STEP
    while low < SCALE_END:
        bucket = await _bucket(count, low, min(low + step, SCALE_END))
        buckets.append(bucket)
        low = bucket.prices.maximum
        if bucket.count:
            step = min(max(step * DIAMONDS_PER_STEP // bucket.count, LEAST_STEP), MOST_STEP)
        else:
            step = min(step * EMPTY_FACTOR, MOST_EMPTY_STEP)
    return buckets


async def partition(buckets: list[Bucket], count: Count, run_type: RunType, max_records: int = 0) -> Partitions:
    """Cut the histogram into one to 30 shares (10 for an incremental run) of about 1,000 diamonds or more each.

    The shares never overlap and together cover every whole price from 0 to PRICES_END, gaps included, so a diamond that
    appears during the run belongs to exactly one. Each holds the target (total / workers) to within a quarter, unless
    a single price, which no range can divide, holds more than a fifth of the target by itself: a share that holds or
    borders such a price may be off by up to that price's diamonds.

    This departs from the system being replaced, which split every bucket over 1.5 targets and closed a share once it
    reached the target: the overshoots added up and left the last share with anything from nothing to twice its part.
    Here each cut is sought at its own ideal place, and only buckets in which one falls are halved and re-counted.

    `max_records` (0: no cap) limits the plan to the cheapest diamonds: the shares cover the longest run of whole
    prices from 0 on that holds no more than the cap, but at least the cheapest price that has any. A capped plan has
    not seen the whole feed: neither deletions nor the watermark may be concluded from it.
    """
    cells = _Cells(buckets, count)
    end = await cells.cap(max_records) if 0 < max_records < cells.total else PRICES_END
    workers = min(max(ceil(cells.total / DIAMONDS_PER_WORKER), 1), MOST_WORKERS[run_type])
    target = cells.total / workers
    cuts = {await cells.cut(target * share, CUT_SLACK * target) for share in range(1, workers)}
    edges = [0, *sorted(cuts - {0, PRICES_END}), end]
    return Partitions(
        total=cells.total,
        partitions=[
            Partition(
                partition_id=f"p{number:03}",
                prices=PriceRange(minimum=low, maximum=high),
                expected=cells.between(low, high),
            )
            for number, (low, high) in enumerate(pairwise(edges))
        ],
        counts_asked=cells.queries,
    )


class _Cells:
    """The non-empty buckets in ascending order, halved where a finer look is needed."""

    def __init__(self, buckets: list[Bucket], count: Count) -> None:
        self._cells = buckets.copy()
        self._count = count
        self.queries = 0

    @property
    def total(self) -> int:
        return sum(cell.count for cell in self._cells)

    def between(self, low: int, high: int) -> int:
        return sum(cell.count for cell in self._cells if low <= cell.prices.minimum < high)

    async def cut(self, goal: float, slack: float) -> int:
        """The price to cut at so that about `goal` diamonds are cheaper: as near as `slack`, or as one price allows.

        Gives 0 or PRICES_END where the nearest place is before the first or after the last diamond.
        """
        while True:
            index, below = self._find(goal)
            cell = self._cells[index]
            before, after = goal - below, below + cell.count - goal
            if min(before, after) <= slack or _is_one_price(cell):
                # Cut where the next diamonds begin: a gap has one edge, whichever of its sides a cut came from.
                return self._start(index if before <= after else index + 1)
            await self._halve(index)

    async def cap(self, most: int) -> int:
        """Drop what does not fit into the `most` cheapest diamonds; give the price at which the rest ends."""
        while True:
            index, below = self._find(most)
            cell = self._cells[index]
            if below == most or _is_one_price(cell):
                kept = max(index, 1)
                end = self._start(kept)
                del self._cells[kept:]
                return end
            await self._halve(index)

    def _find(self, goal: float) -> tuple[int, int]:
        """The index of the bucket that the `goal`-th diamond falls into, and how many lie below that bucket."""
        below = 0
        for index, cell in enumerate(self._cells):
            if goal < below + cell.count:
                return index, below
            below += cell.count
        last = len(self._cells) - 1
        return last, below - self._cells[last].count

    def _start(self, index: int) -> int:
        if index == 0:
            return 0
        return self._cells[index].prices.minimum if index < len(self._cells) else PRICES_END

    async def _halve(self, index: int) -> None:
        low, high = self._cells[index].prices.minimum, self._cells[index].prices.maximum
        middle = (low + high) // 2
        self.queries += 1
        left = await _bucket(self._count, low, middle)
        # The rest by subtraction saves a query; a feed that changed in between may have put more into the left half.
        right = Bucket(
            prices=PriceRange(minimum=middle, maximum=high), count=max(self._cells[index].count - left.count, 0)
        )
        self._cells[index : index + 1] = [half for half in (left, right) if half.count]


def _is_one_price(cell: Bucket) -> bool:
    return cell.prices.maximum - cell.prices.minimum == 1
