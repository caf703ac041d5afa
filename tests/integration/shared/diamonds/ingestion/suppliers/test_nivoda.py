"""The Nivoda adapter against the supplier that stands in locally, in one process."""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count as numbers
from typing import Any

import pytest
from httpx import ASGITransport

from local.supplier.app import Change, Supplier, create_app
from local.supplier.faults import Fault, FaultName, FaultSettings
from local.supplier.testing import session_on
from shared.diamonds.ingestion import heatmap
from shared.diamonds.ingestion.suppliers.nivoda import Account, Nivoda
from shared.diamonds.runs.models import EPOCH, PriceRange, Window
from shared.platform.calls.retry import Time
from shared.platform.errors import TerminalError

STONES = 1_200
EVERYTHING = Window(since=EPOCH, until=datetime(2100, 1, 1, tzinfo=UTC))
FAULTS = {
    name: Fault(probability=0.15)
    for name in ("short_pages", "total_count", "errors", "throttle", "server_error", "expired_token")
}


@dataclass
class Unhurried:
    """A pace and a clock that never wait. Hundreds of questions at once share it, so a wait moves it by a bit only."""

    now: float = 0.0
    pauses: int = 0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds / 100

    async def turn(self, max_wait_seconds: float) -> None:
        self.now += 0.01

    async def pause(self, seconds: float) -> None:
        self.pauses += 1
        self.now += seconds


@pytest.fixture
def standin() -> Any:
    app = create_app(STONES)
    app.state.supplier.app = app
    return app.state.supplier


@asynccontextmanager
async def opened(standin: Any, pace: Unhurried | None = None, password: str = "manifold") -> AsyncGenerator[Nivoda]:
    pace = pace or Unhurried()
    async with Nivoda(
        Account("http://supplier/graphql", f"manifold{'' if password == 'manifold' else '?'}", password),
        pace,
        session=lambda: session_on(ASGITransport(standin.app)),
        timing=Time(lambda: pace.now, pace.sleep),
    ) as nivoda:
        yield nivoda


@pytest.fixture
async def nivoda(standin: Supplier) -> AsyncGenerator[Nivoda]:
    async with opened(standin) as nivoda:
        yield nivoda


async def everything(page: Callable[[int], Awaitable[list]]) -> list:
    """All pages up to the first empty one."""
    stones: list = []
    for _ in numbers():
        found = await page(len(stones))
        if not found:
            return stones
        stones += found
    raise AssertionError


async def test_a_stone_comes_with_its_keys_and_everything_else_untouched(nivoda: Nivoda):
    (stone,) = await nivoda.page(None, EVERYTHING, 0, 1)
    assert stone.payload["diamond"]["id"] == stone.supplier_stone_id
    assert stone.payload["id"] == stone.offer_id == f"DIAMOND/{stone.supplier_stone_id}"
    assert stone.payload["price"] > 0
    assert stone.payload["diamond"]["certificate"]["carats"] > 0


async def test_ranges_include_their_minimum_and_exclude_their_maximum(nivoda: Nivoda):
    stones = await everything(lambda offset: nivoda.page(None, EVERYTHING, offset, 50))
    prices = Counter(stone.payload["price"] // 100 for stone in stones)
    low, high = sorted(prices)[10], sorted(prices)[40]
    expected = sum(number for price, number in prices.items() if low <= price < high)
    prices_asked = PriceRange(minimum=low, maximum=high)
    assert await nivoda.count(prices_asked, EVERYTHING) == expected
    found = await everything(lambda offset: nivoda.page(prices_asked, EVERYTHING, offset, 50))
    assert {low * 100 <= stone.payload["price"] < high * 100 for stone in found} == {True}
    assert len(found) == expected


async def test_only_what_changed_in_the_window_is_counted_and_read(standin: Supplier, nivoda: Nivoda):
    before = datetime.now(UTC) - timedelta(seconds=1)
    standin.change(Change(reprice=17))
    window = Window(since=before, until=before + timedelta(minutes=5))
    assert await nivoda.count(None, window) == 17
    assert len(await everything(lambda offset: nivoda.page(None, window, offset, 50))) == 17
    assert await nivoda.count(None, Window(since=EPOCH, until=before - timedelta(minutes=5))) == STONES - 17


@pytest.mark.parametrize("faults", [{}, FAULTS], ids=["no faults", "faults"])
async def test_the_shares_of_a_plan_hold_every_stone_once(standin: Supplier, faults: dict):
    standin.faults.set(FaultSettings(faults=faults))
    pace = Unhurried()
    async with opened(standin, pace) as nivoda:
        plan = await heatmap.plan(lambda prices: nivoda.count(prices, EVERYTHING), "full")
        seen: Counter[str] = Counter()
        for share in plan.partitions:
            stones = await everything(lambda offset, share=share: nivoda.page(share.prices, EVERYTHING, offset, 50))
            assert len(stones) == share.expected
            seen.update(stone.supplier_stone_id for stone in stones)
    assert plan.total == len(seen) == seen.total() == STONES
    assert {FaultName(name) for name in faults} == {name for name, times in standin.faults.struck.items() if times}
    assert bool(pace.pauses) == ("throttle" in faults)


async def test_ended_sessions_are_renewed_without_a_word(standin: Supplier, nivoda: Nivoda):
    await nivoda.check()
    standin.nivoda.expire_sessions()
    assert await nivoda.count(None, EVERYTHING) == STONES


async def test_a_wrong_password_is_terminal(standin: Supplier):
    async with opened(standin, password="wrong") as nivoda:
        with pytest.raises(TerminalError) as raised:
            await nivoda.check()
    assert raised.value.code == "supplier-credentials"
