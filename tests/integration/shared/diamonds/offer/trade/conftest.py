"""Trades of one diamond at once, and a supplier of its own, whose answers can be lost."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest

from local.killable import KillableService
from local.processes import free_port
from shared.diamonds.offer.trade import HoldRequest, PurchaseRequest
from shared.platform.errors import ManifoldError
from tests.fresh_settings import forget_settings

HALF_AN_HOUR = HoldRequest(minutes=30)
ANY_PRICE = PurchaseRequest(expected_price=None, reference=None)
MANY = 24
STONES = 400

_next = count()


async def outcomes(*steps) -> list[Any]:
    """What each of the steps, all taken at once, came to."""
    return await asyncio.gather(*steps, return_exceptions=True)


def codes(found):
    return sorted(one.code for one in found if isinstance(one, ManifoldError))


def won(found):
    return [one for one in found if not isinstance(one, Exception)]


async def expire(shop, diamond):
    """Let the diamond's hold have ended a minute ago."""
    minutes = "now() - interval '1 minute'"
    await shop.fetch(f"update diamonds.diamonds set hold_expires_at = {minutes} where id = %s", diamond)
    await shop.fetch(f"update diamonds.hold_history set expires_at = {minutes} where diamond_id = %s", diamond)


@dataclass
class StandIn:
    """The supplier, as an operator sees it."""

    base: str
    stones: list[dict]
    service: KillableService

    def faults(self, **faults):
        httpx.post(f"{self.base}/_control/faults", json={"faults": faults}).raise_for_status()

    def losing_answers(self):
        self.faults(lost_answer={"probability": 1})

    def reports(self, kind):
        return httpx.get(f"{self.base}/_control/orders").json()[kind]

    def ordered(self, item):
        number = int(item["diamond"]["id"][-8:], 16)
        return [one for one in self.reports("orders") if one["stone"] == number]

    def held(self, item):
        number = int(item["diamond"]["id"][-8:], 16)
        return [one for one in self.reports("holds") if one["stone"] == number and not one["cancelled"]]

    async def ask(self, query, **variables):
        async with httpx.AsyncClient() as http:
            login = (
                'query { authenticate { username_and_password(username: "manifold", password: "manifold") { token } } }'
            )
            token = (await http.post(f"{self.base}/graphql", json={"query": login})).json()
            token = token["data"]["authenticate"]["username_and_password"]["token"]
            answer = await http.post(
                f"{self.base}/graphql",
                json={"query": query, "variables": variables},
                headers={"Authorization": f"Bearer {token}"},
            )
            return answer.json()["data"]

    def free(self):
        return self.stones[next(_next)]


@pytest.fixture(scope="session")
def supplier_process():
    port = free_port()
    service = KillableService(["local.supplier", "--port", port, "--diamonds", STONES])
    with service.running():
        yield f"http://127.0.0.1:{port}", service


@pytest.fixture
async def supplier(supplier_process, monkeypatch, migrated):
    base, service = supplier_process
    for name, value in {
        "NIVODA_ENDPOINT": f"{base}/graphql",
        "NIVODA_USERNAME": "manifold",
        "NIVODA_PASSWORD": "manifold",
        "NIVODA_PRICE_UNIT": "cents",
        "NIVODA_REQUESTS_PER_SECOND": "0",
        "NIVODA_TIMEOUT_SECONDS": "5",
        "NIVODA_TRADING": "true",
    }.items():
        monkeypatch.setenv(name, value)
    forget_settings()
    stand_in = StandIn(base, [], service)
    stand_in.faults()
    query = (
        "query { diamonds_by_query(limit: 50, offset: %d, order: {type: createdAt})"
        " { items { id price diamond { id availability } } } }"
    )
    for offset in range(0, 150, 50):
        items = (await stand_in.ask(query % offset))["diamonds_by_query"]["items"]
        stand_in.stones += [item for item in items if item["diamond"]["availability"] == "AVAILABLE"]
    yield stand_in
    forget_settings()


@pytest.fixture
def offered(shop, supplier):
    """Puts one of the supplier's free stones on offer: the diamond's id, and the stone."""

    async def make(**columns):
        item = supplier.free()
        price = Decimal(item["price"]) / 100
        given = {"supplier_stone_id": item["diamond"]["id"], "offer_id": item["id"], "price_model_price": price}
        return await shop.offer(**given, **columns), item

    return make


async def state(shop, diamond):
    (row,) = await shop.fetch(
        "select availability, hold_id, nullif(hold_expires_at, 'infinity') as hold_expires_at"
        " from diamonds.diamonds where id = %s",
        diamond,
    )
    return row
