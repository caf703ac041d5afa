"""A run of the feed and a supplier that does what a test wants."""

import asyncio
from uuid import uuid4

import pytest

from activities.diamonds import ingestion
from shared.diamonds.runs import lifecycle
from shared.diamonds.runs.models import EPOCH, NO_END, StartRun, Window
from tests.fresh_settings import forget_settings
from tests.integration.shared.diamonds.conftest import diamonds, shop

__all__ = ["diamonds", "shop"]


class Supplier:
    """Counts what it is told to, or never answers."""

    def __init__(self, prices=(), silent=False):
        self.prices, self.silent = prices, silent
        self.asked = asyncio.Event()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def count(self, prices, _window):
        self.asked.set()
        if self.silent:
            await asyncio.Event().wait()
        if prices is None:
            return len(self.prices)
        return sum(price is not None and prices.minimum <= price < prices.maximum for price in self.prices)

    def read(self, *_):
        return self

    offset, empty, token, ended = 0, 0, None, False

    async def next(self):
        self.asked.set()
        await asyncio.Event().wait()


@pytest.fixture
async def plan(migrated):
    request = StartRun(run_id=uuid4(), feed="nivoda", run_type="full")
    return await lifecycle.claim_run(request, Window(since=EPOCH, until=NO_END))


@pytest.fixture
def marks(storage, monkeypatch):
    """A container of watermarks of this test's own."""
    monkeypatch.setenv("WATERMARK_CONTAINER", f"watermarks-{uuid4()}")
    forget_settings()


@pytest.fixture
def supplied(monkeypatch):
    """Makes this the supplier of every feed."""

    def give(supplier):
        monkeypatch.setattr(ingestion, "supplier", lambda _: supplier)
        return supplier

    return give
