"""What every supplier keeps of the port, whatever the shape of its feed: each adapter against the stand-in."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from httpx import ASGITransport

from local.supplier.app import Change, create_app
from local.supplier.faults import Fault, FaultName, FaultSettings
from local.supplier.testing import session_on
from shared.diamonds.ingestion import heatmap
from shared.diamonds.ingestion.models import Mark
from shared.diamonds.ingestion.suppliers import brilliant as brilliant_feed
from shared.diamonds.ingestion.suppliers.brilliant import Brilliant
from shared.diamonds.ingestion.suppliers.nivoda import Account, Nivoda
from shared.diamonds.runs.models import EPOCH, NO_END, PRICES_END, PriceRange, Window
from shared.platform.calls.retry import Time
from shared.platform.errors import TerminalError

STONES = 700
EVERYTHING = Window(since=EPOCH, until=NO_END)


@dataclass
class Unhurried:
    """A pace and a clock that never wait."""

    now: float = 0.0

    async def sleep(self, seconds):
        self.now += seconds

    async def turn(self, _max_wait_seconds):
        self.now += 0.01

    async def pause(self, seconds):
        self.now += seconds


def nivoda(app, pace, password="manifold"):
    return Nivoda(
        Account("http://supplier/graphql", f"manifold{'' if password == 'manifold' else '?'}", password),
        pace,
        session=lambda: session_on(ASGITransport(app)),
        timing=Time(lambda: pace.now, pace.sleep),
    )


def brilliant(app, pace, password="manifold"):
    return Brilliant(
        "http://supplier/rest/v1/",
        password,
        pace,
        session=lambda: session_on(ASGITransport(app)),
        timing=Time(lambda: pace.now, pace.sleep),
    )


PRICES = {
    nivoda: lambda stone: stone.payload["price"] / 100,
    brilliant: lambda stone: float(stone.payload["usd_price"]),
}


@pytest.fixture
def standin():
    app = create_app(STONES)
    app.state.supplier.app = app
    return app.state.supplier


@pytest.fixture(params=[nivoda, brilliant], ids=["nivoda", "brilliant"])
def adapter(request):
    return request.param


@pytest.fixture
def opened(standin, adapter, monkeypatch):
    monkeypatch.setattr(brilliant_feed, "PAGE_SIZE", 50)  # as Nivoda's, so that each reads many pages

    @asynccontextmanager
    async def open_(**options):
        async with adapter(standin.app, Unhurried(), **options) as supplier:
            yield supplier

    return open_


async def read(supplier, prices=None, window=EVERYTHING, start=None):
    pages = supplier.read(prices, window, start or Mark())
    found = []
    while not pages.ended:
        found += await pages.next()
    return found


async def test_every_stone_comes_once_with_its_keys_and_untouched(opened, adapter):
    async with opened() as supplier:
        stones = await read(supplier)
        assert await supplier.count(None, EVERYTHING) == STONES
    assert len({stone.supplier_stone_id for stone in stones}) == len(stones) == STONES
    assert len({stone.offer_id for stone in stones}) == STONES
    assert all(PRICES[adapter](stone) >= 1 for stone in stones)


async def test_short_pages_are_not_the_end(standin, opened):
    standin.faults.set(FaultSettings(faults={FaultName.SHORT_PAGES: Fault(probability=0.5)}))
    async with opened() as supplier:
        assert len({stone.supplier_stone_id for stone in await read(supplier)}) == STONES
    assert standin.faults.struck["short_pages"] > 3


async def test_reading_goes_on_from_the_mark_of_any_page(opened):
    async with opened() as supplier:
        every = {stone.supplier_stone_id for stone in await read(supplier)}
        pages = supplier.read(None, EVERYTHING, Mark())
        before: set[str] = set()
        while not pages.ended:
            stones = await pages.next()
            before |= {stone.supplier_stone_id for stone in stones}
            mark = Mark(next_offset=pages.offset, next_token=pages.token)
            if len(before) in (50, 350, STONES):
                after = {stone.supplier_stone_id for stone in await read(supplier, start=mark)}
                assert before | after == every
        assert before == every


async def test_an_offset_counts_what_was_read_so_that_each_page_moves_the_mark(opened):
    async with opened() as supplier:
        pages = supplier.read(None, EVERYTHING, Mark())
        offsets = [pages.offset]
        while await pages.next():
            offsets.append(pages.offset)
        assert pages.ended
    assert offsets == sorted(set(offsets))
    assert offsets[-1] == STONES


async def test_defect_neighbouring_partitions_overlap_at_their_edge(opened, adapter):
    """Of the system being replaced. Here ranges share no stone and miss none."""
    async with opened() as supplier:
        prices = Counter(int(PRICES[adapter](stone)) for stone in await read(supplier))
        edge = sorted(prices)[len(prices) // 2]
        halves = [PriceRange(minimum=0, maximum=edge), PriceRange(minimum=edge, maximum=PRICES_END)]
        below, above = [await read(supplier, half) for half in halves]
        assert [await supplier.count(half, EVERYTHING) for half in halves] == [len(below), len(above)]
    assert len(below) + len(above) == STONES
    assert max(PRICES[adapter](stone) for stone in below) < edge <= min(PRICES[adapter](stone) for stone in above)


async def test_defect_workers_ignore_the_update_window(standin, opened):
    """Of the system being replaced. Here it is honoured to the second, in counts and in pages."""
    moment = datetime.now(UTC).replace(microsecond=0)
    standin.change(Change(reprice=17))
    changed = standin.catalogue._db.execute("select max(updated) from stone").fetchone()[0]
    standin.catalogue._db.execute("update stone set updated = ? where updated = ?", (moment.timestamp(), changed))
    second = timedelta(seconds=1)
    async with opened() as supplier:
        for window, expected in (
            (Window(since=moment, until=moment), 17),
            (Window(since=moment - second, until=moment + second), 17),
            (Window(since=moment + second, until=NO_END), 0),
            (Window(since=EPOCH, until=moment - second), STONES - 17),
        ):
            assert await supplier.count(None, window) == expected
            assert len(await read(supplier, window=window)) == expected


async def test_a_wrong_secret_is_terminal_names_the_setting_and_is_not_shown(opened):
    async with opened(password="wrong-canary") as supplier:
        with pytest.raises(TerminalError) as raised:
            await supplier.check()
    assert raised.value.code == "supplier-credentials"
    assert "_" in str(raised.value.remedy)
    assert "wrong-canary" not in str(raised.value)


async def test_the_check_passes_on_a_supplier_that_answers(opened):
    async with opened() as supplier:
        await supplier.check()


async def test_the_shares_of_a_plan_hold_every_stone_once(opened):
    async with opened() as supplier:
        plan = await heatmap.plan(lambda prices: supplier.count(prices, EVERYTHING), "full")
        seen: Counter[str] = Counter()
        for share in plan.partitions:
            stones = await read(supplier, share.prices)
            assert len(stones) == share.expected
            seen.update(stone.supplier_stone_id for stone in stones)
    assert plan.total == len(seen) == seen.total() == STONES


async def test_the_shares_hold_every_stone_also_if_prices_have_cents(adapter):
    standin = create_app(2_500, cents_in_prices=True)
    async with adapter(standin, Unhurried()) as supplier:
        plan = await heatmap.plan(lambda prices: supplier.count(prices, EVERYTHING), "full")
        found = [stone for share in plan.partitions for stone in await read(supplier, share.prices)]
    assert len(plan.partitions) > 1
    assert len({stone.supplier_stone_id for stone in found}) == 2_500
    assert any(PRICES[adapter](stone) % 1 for stone in found)
