"""A run of the feed and a supplier that does what a test wants, on a migrated database."""

from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from shared.diamonds.ingestion.models import IngestPages, Stone
from shared.diamonds.ingestion.paging import OffsetPages
from shared.diamonds.runs import lifecycle
from shared.diamonds.runs.models import EPOCH, Partition, Partitions, PriceRange, RunPlan, RunType, StartRun, Window
from shared.platform.stores import postgres
from shared.platform.stores.postgres import database

WINDOW = Window(since=EPOCH, until=datetime(2026, 1, 2, tzinfo=UTC))


def stone(stone_id, price=326, **certificate):
    """A stone as Nivoda sends it; `price` in dollars."""
    payload: dict[str, Any] = {
        "id": f"DIAMOND/{stone_id}",
        "price": price * 100,
        "discount": -10.5,
        "diamond": {
            "id": stone_id,
            "availability": "AVAILABLE",
            "HoldId": None,
            "image": f"https://images.example.com/{stone_id}.jpg",
            "video": None,
            "supplier": {"name": "Acme"},
            "certificate": {
                "lab": "GIA",
                "certNumber": "1",
                "shape": "ROUND",
                "carats": 0.23,
                "color": "E",
                "clarity": "SI2",
                "cut": "Ideal",
                "labgrown": False,
                "length": 3.95,
            }
            | certificate,
        },
    }
    return Stone(stone_id, payload["id"], None, payload)


@dataclass
class Shop:
    """A supplier with the stones in `stones`, in the order in which they were listed.

    `before_page` runs before each page and may change or raise anything; `longest` caps the page it sends.
    """

    stones: dict = field(default_factory=dict)
    before_page: Callable[[], object] = lambda: None
    longest: Callable[[], int] = lambda: 50
    page_size: int = 50
    pages: int = 0
    counts: int = 0
    count_error: int = 0

    def offer(self, *stones):
        for one in stones:
            self.stones[one.supplier_stone_id] = one

    def _in(self, prices):
        return [s for s in self.stones.values() if prices.minimum * 100 <= s.payload["price"] < prices.maximum * 100]

    async def count(self, prices, window):
        assert window == WINDOW
        self.counts += 1
        return len(self._in(prices)) + self.count_error

    def read(self, prices, window, start):
        return OffsetPages(lambda offset, limit: self.page(prices, window, offset, limit), start, self.page_size)

    async def page(self, prices, window, offset, limit):
        assert window == WINDOW
        self.pages += 1
        self.before_page()
        return deepcopy(self._in(prices)[offset : offset + min(limit, self.longest())])


@dataclass(frozen=True)
class Run:
    """A claimed run with its partitions saved."""

    plan: RunPlan
    partitions: list[Partition]

    def task(self, number=0, seconds=60.0):
        return IngestPages(plan=self.plan, partition=self.partitions[number], seconds=seconds)


def partition(number, minimum, maximum, expected=0):
    prices = PriceRange(minimum=minimum, maximum=maximum)
    return Partition(partition_id=f"p{number:03}", prices=prices, expected=expected)


async def begin(*edges, feed="nivoda", run_type: RunType = "full", expected=0, max_records=0):
    """Claim a run and cut it at the given prices."""
    request = StartRun(run_id=uuid4(), feed=feed, run_type=run_type)
    plan = await lifecycle.claim_run(request, WINDOW, max_records=max_records)
    cut = [partition(n, low, high, expected) for n, (low, high) in enumerate(pairwise(edges))]
    await lifecycle.save_partitions(plan.run_id, Partitions(total=expected, partitions=cut, counts_asked=0))
    return Run(plan, cut)


async def fetch(query, *parameters):
    """The rows of a query, each as a tuple."""
    async with database() as connection:
        return await (await connection.execute(query, parameters)).fetchall()


_through = ContextVar("through", default=None)
_real_pool = postgres._pool


@contextmanager
def through(wrap):
    """In this task, and in those it starts, connections of the pool come through `wrap`, a context manager of one."""
    before = _through.set(wrap)
    try:
        yield
    finally:
        _through.reset(before)


class Pool:
    """The app's pool, which `through` can get at."""

    def __init__(self, pool):
        self.pool = pool

    def connection(self):
        wrap = _through.get()
        return wrap(self.pool.connection()) if wrap else self.pool.connection()


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture(scope="session")
def diamonds():
    """The helpers of this folder: tests cannot import a conftest."""

    async def pool():
        return Pool(await _real_pool())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "_pool", pool)
        yield SimpleNamespace(
            Shop=Shop, begin=begin, fetch=fetch, partition=partition, stone=stone, through=through, WINDOW=WINDOW
        )
