"""Whatever the prices of a feed are, its plan covers them once, evenly and with few questions."""

import asyncio
from bisect import bisect_left
from itertools import pairwise
from math import ceil, log2
from random import Random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.diamonds.ingestion import heatmap
from shared.diamonds.ingestion.heatmap import PRICES_END, draw, partition, plan, without_gaps
from shared.diamonds.ingestion.models import Bucket
from shared.diamonds.runs.models import Partition, Partitions, PriceRange, RunType

MOST_DRAWN = 1_351
MOST_HALVINGS = ceil(log2(PRICES_END))


class Feed:
    """A supplier that holds the given prices and remembers what it was asked."""

    def __init__(self, prices: list[int]) -> None:
        self.prices = sorted(prices)
        self.asked: list[PriceRange] = []

    async def count(self, prices: PriceRange) -> int:
        self.asked.append(prices)
        return self.holds(prices)

    def holds(self, prices: PriceRange) -> int:
        return bisect_left(self.prices, prices.maximum) - bisect_left(self.prices, prices.minimum)

    def next_to(self, prices: PriceRange) -> set[int]:
        """The prices in the range and the nearest ones beside it."""
        low, high = bisect_left(self.prices, prices.minimum), bisect_left(self.prices, prices.maximum)
        return set(self.prices[max(low - 1, 0) : high + 1])

    def at(self, price: int) -> int:
        return self.holds(PriceRange(minimum=price, maximum=price + 1))


# A group is a stretch of the price scale with some stones on it: one price (a heavy tie), a narrow or a wide band.
start = st.one_of(st.integers(0, 25_000), st.integers(0, 300_000), st.integers(249_000, 2_000_000))
group = st.tuples(
    start, st.sampled_from([1, 2, 10, 500, 20_000, 300_000]), st.sampled_from([1, 40, 700, 3_000, 9_000]), st.integers()
)


def stones(low: int, width: int, count: int, seed: int) -> list[int]:
    return Random(seed).choices(range(low, low + width), k=count)


feeds = st.lists(group, max_size=8).map(lambda groups: Feed([price for group in groups for price in stones(*group)]))
run_types = st.sampled_from(get_args(RunType))
few_examples = settings(max_examples=100, deadline=None)


def planned(feed: Feed, run_type: RunType = "full", cap: int = 0) -> Partitions:
    return asyncio.run(plan(feed.count, run_type, cap))


def assert_seamless(plan: Partitions) -> None:
    shares = plan.partitions
    assert shares[0].prices.minimum == 0
    assert all(left.prices.maximum == right.prices.minimum for left, right in pairwise(shares))
    assert [share.partition_id for share in shares] == [f"p{number:03}" for number in range(len(shares))]


@given(feeds, run_types)
@few_examples
def test_partitions_cover_every_price_once(feed: Feed, run_type: RunType):
    plan = planned(feed, run_type)
    assert_seamless(plan)
    assert plan.partitions[-1].prices.maximum == PRICES_END
    assert plan.total == len(feed.prices) == sum(share.expected for share in plan.partitions)
    assert all(share.expected == feed.holds(share.prices) for share in plan.partitions)


@given(feeds, run_types)
@few_examples
def test_partitions_hold_the_target_to_a_quarter_unless_a_heavy_price_is_in_the_way(feed: Feed, run_type: RunType):
    plan = planned(feed, run_type)
    workers = min(max(ceil(plan.total / 1_000), 1), 30 if run_type == "full" else 10)
    target = ceil(plan.total / workers)
    assert len(plan.partitions) <= workers
    for share in plan.partitions:
        heaviest = max((feed.at(price) for price in feed.next_to(share.prices)), default=0)
        allowed = target / 4 if heaviest <= target / 5 else max(target / 4, heaviest + 1)
        assert abs(share.expected - target) <= allowed


@given(st.integers(1, 40_000), st.sampled_from([20_000, 400_000]), st.integers(), run_types)
@few_examples
def test_without_heavy_ties_every_partition_holds_the_target_to_a_quarter(
    count: int, dearest: int, seed: int, run_type: RunType
):
    plan = planned(Feed(stones(0, dearest, count, seed)), run_type)
    target = ceil(plan.total / min(ceil(plan.total / 1_000), 30 if run_type == "full" else 10))
    assert all(abs(share.expected - target) <= target / 4 for share in plan.partitions)


@given(feeds, run_types, st.integers(1, 20_000))
@few_examples
def test_a_cap_plans_the_most_whole_prices_that_fit_it(feed: Feed, run_type: RunType, cap: int):
    plan = planned(feed, run_type, cap)
    assert_seamless(plan)
    assert sum(share.expected for share in plan.partitions) == plan.total
    end = plan.partitions[-1].prices.maximum
    dearer = [price for price in feed.prices if price >= end]
    assert plan.total == len(feed.prices) - len(dearer)
    if not dearer:
        return
    cheapest_only = plan.total == feed.at(feed.prices[0])
    assert plan.total <= cap or cheapest_only
    assert plan.total + feed.at(dearer[0]) > cap


@given(feeds, run_types, st.sampled_from([0, 500]))
@few_examples
def test_the_number_of_questions_is_bounded(feed: Feed, run_type: RunType, cap: int):
    plan = planned(feed, run_type, cap)
    assert plan.counts_asked == len(feed.asked)
    cuts = 29 if run_type == "full" else 9
    verified = cuts + 1 + 2
    assert plan.counts_asked <= MOST_DRAWN + (cuts + bool(cap)) * MOST_HALVINGS + verified


@given(feeds)
@few_examples
def test_the_histogram_counts_every_price_once(feed: Feed):
    buckets = asyncio.run(draw(feed.count))
    asked = sorted(feed.asked, key=lambda prices: prices.minimum)
    assert asked[0].minimum == 0
    assert asked[-1].maximum == PRICES_END
    assert all(left.maximum == right.minimum for left, right in pairwise(asked))
    assert [bucket.prices for bucket in buckets] == [prices for prices in asked if feed.holds(prices)]
    assert sum(bucket.count for bucket in buckets) == len(feed.prices)
    assert len(asked) <= MOST_DRAWN


def test_an_empty_feed_is_one_partition_and_few_questions():
    plan = planned(Feed([]))
    (share,) = plan.partitions
    assert (share.prices.minimum, share.prices.maximum, share.expected) == (0, PRICES_END, 0)
    assert plan.counts_asked == 200 + 6 + 1


def test_steps_above_20000_follow_the_density():
    feed = Feed([20_100] * 1_000 + [21_000] * 5)
    asyncio.run(draw(feed.count))
    coarse = [(r.minimum, r.maximum - r.minimum) for r in feed.asked if 20_000 <= r.minimum < 250_000]
    # 500 x 500 / 1,000 = 250; an empty range: x 5; 5 stones: 1,250 x 500 / 5 = 125,000, at most 50,000; then x 5, at
    # most 100,000, and what is left up to 250,000.
    assert coarse == [
        (20_000, 500),
        (20_500, 250),
        (20_750, 1_250),
        (22_000, 50_000),
        (72_000, 100_000),
        (172_000, 78_000),
    ]


def test_stones_above_every_step_are_planned_too():
    plan = planned(Feed([300_000, 2_000_000_000]))
    assert plan.total == 2


def test_a_price_too_heavy_to_share_stands_with_as_few_others_as_its_neighbours_allow():
    plan = planned(Feed([500] * 1_000 + [501] * 9_000 + [502] * 1_000))
    assert [share.expected for share in plan.partitions] == [1_000, 9_000, 1_000]


def test_questions_below_20000_are_asked_at_once():
    waiting = 0
    together = asyncio.Event()

    async def count(_: PriceRange) -> int:
        nonlocal waiting
        waiting += 1
        if waiting == 202:  # 200 fine steps, the first coarse one and the rest
            together.set()
        await asyncio.wait_for(together.wait(), 10)
        return 0

    asyncio.run(draw(count))


def test_a_failed_question_cancels_the_others_and_is_raised_as_it_is():
    finished = 0

    async def count(prices: PriceRange) -> int:
        nonlocal finished
        if prices.minimum == 5_000:
            raise ConnectionError("gone")
        await asyncio.sleep(3600)
        finished += 1
        return 0

    with pytest.raises(ConnectionError, match="gone"):
        asyncio.run(draw(count))
    assert finished == 0


@given(feeds.filter(lambda feed: len(feed.prices) > 1_500), st.integers())
@settings(max_examples=20, deadline=None)
def test_a_feed_that_changes_while_it_is_counted_is_still_covered(feed: Feed, seed: int):
    """Counts that contradict each other may unbalance a plan, never tear it."""
    rng = Random(seed)

    async def count(prices: PriceRange) -> int:
        return rng.randrange(2 * (await feed.count(prices)) + 1)

    shares = asyncio.run(heatmap.plan(count, "full", 0)).partitions
    assert shares[0].prices.minimum == 0
    assert shares[-1].prices.maximum == PRICES_END
    assert {left.prices.maximum - right.prices.minimum for left, right in pairwise(shares)} <= {0, 1}


class FeedInCents(Feed):
    """A supplier whose prices have cents, and which takes ranges as it is sent them: whole dollars, both included."""

    def __init__(self, exact: list[float]) -> None:
        super().__init__([])
        self.exact = exact

    def holds(self, prices: PriceRange) -> int:
        return sum(prices.minimum <= price <= prices.maximum - 1 for price in self.exact)


cents = st.lists(
    st.one_of(st.integers(0, 60_000), st.integers(9_900, 10_100), st.integers(1_900_000, 40_000_000)),
    min_size=1,
    max_size=60,
).map(lambda prices: FeedInCents([price / 100 for price in prices]))


@given(cents, run_types, st.integers(1, 40))
@few_examples
def test_a_diamond_between_two_whole_dollars_is_in_a_partition(feed: FeedInCents, run_type: RunType, workers: int):
    with pytest.MonkeyPatch.context() as small:
        small.setattr(heatmap, "DIAMONDS_PER_WORKER", max(len(feed.exact) // workers, 1))
        shares = planned(feed, run_type).partitions
    for price in feed.exact:
        homes = [share for share in shares if share.prices.minimum <= price <= share.prices.maximum - 1]
        assert 1 <= len(homes) <= (2 if price == int(price) else 1), price


def shares_of(*edges: int) -> list[Partition]:
    return [
        Partition(partition_id=f"p{n:03}", prices=PriceRange(minimum=low, maximum=high), expected=0)
        for n, (low, high) in enumerate(pairwise(edges))
    ]


async def test_partitions_share_a_dollar_only_if_something_lies_between_them():
    shares = shares_of(0, 100, 200, PRICES_END)
    assert await without_gaps(shares, FeedInCents([50.5, 100, 150.25, 199, 200, 7_000.01]).count) == shares
    wider = await without_gaps(shares, FeedInCents([99.5, 100]).count)
    assert [(one.prices.minimum, one.prices.maximum) for one in wider] == [(0, 101), (100, 201), (200, PRICES_END)]


@pytest.mark.parametrize("change", [1, -1], ids=["one is listed", "one is sold"])
async def test_what_comes_or_goes_while_the_partitions_are_counted_hides_no_gap(change: int):
    feed, shares = FeedInCents([99.5, *range(10)]), shares_of(0, 100, PRICES_END)

    async def count(prices: PriceRange) -> int:
        if prices == shares[0].prices:
            feed.exact = [*feed.exact, 20] if change > 0 else feed.exact[1:]
        return await feed.count(prices)

    assert (await without_gaps(shares, count))[0].prices.maximum == 101


async def test_only_buckets_that_a_cut_falls_into_are_counted_again():
    feed = Feed([100 * n for n in range(2_000)])
    buckets = [
        Bucket(prices=PriceRange(minimum=0, maximum=100_000), count=1_000),
        Bucket(prices=PriceRange(minimum=100_000, maximum=200_000), count=1_000),
    ]
    plan = await partition(buckets, feed.count, "full")
    assert feed.asked == []
    assert [share.expected for share in plan.partitions] == [1_000, 1_000]
