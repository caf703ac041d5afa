"""Holds and purchases made at the supplier, too: over the wire, with answers that are lost and processes that die."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import httpx
import pytest

from local.killable import KillableService
from local.processes import free_port
from shared.diamonds.ingestion.suppliers.nivoda_trading import NivodaTrading
from shared.diamonds.offer import trade
from shared.diamonds.offer.trade import HoldRequest, PurchaseRequest, orders, supplier_holds
from shared.platform.errors import Conflict, NotFound, TerminalError, TransientError
from tests.fresh_settings import forget_settings
from tests.present import present

HALF_AN_HOUR = HoldRequest(minutes=30)
ANY_PRICE = PurchaseRequest(expected_price=None, reference=None)
STONES = 400

_next = count()


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


@pytest.fixture(scope="module")
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


async def test_a_hold_is_placed_at_the_supplier_and_given_up_with_ours(supplier, offered):
    diamond, item = await offered()
    held = await trade.hold(diamond, "acme", HALF_AN_HOUR)
    (there,) = supplier.held(item)
    assert not held.ours_alone
    at_supplier = present(held.supplier)
    assert (at_supplier.state, at_supplier.hold_id) == ("held", there["id"])
    assert held.expires_at < present(at_supplier.until)
    freed = await trade.release(diamond, "acme")
    assert (freed.available, supplier.held(item)) == (True, [])


async def test_a_feed_without_holds_says_so(shop, supplier):
    diamond = await shop.offer(feed="brilliant")
    held = await trade.hold(diamond, "acme", HALF_AN_HOUR)
    assert (held.ours_alone, held.supplier) == (True, None)
    assert (await trade.availability(diamond, "acme")).ours_alone
    bought, _ = await trade.purchase(diamond, "acme", "k", ANY_PRICE)
    assert (bought.ours_alone, bought.supplier, bought.settled) == (True, None, True)


async def test_a_longer_hold_ends_with_the_suppliers(shop, supplier, offered):
    diamond, item = await offered()
    held = await trade.hold(diamond, "acme", HALF_AN_HOUR)
    longer = await trade.hold(diamond, "acme", HoldRequest(minutes=1_440))
    assert longer.renewed
    assert held.expires_at < longer.expires_at <= present(present(longer.supplier).until)
    assert len(supplier.held(item)) == 1


async def test_what_the_supplier_does_not_keep_is_free_again_here(shop, supplier, offered):
    diamond, item = await offered()
    await supplier.ask(
        "mutation ($s: ID!) { create_hold(ProductId: $s, ProductType: Diamond) { id } }", s=item["diamond"]["id"]
    )
    with pytest.raises(Conflict) as refused:
        await trade.hold(diamond, "acme", HALF_AN_HOUR)
    assert refused.value.code == "supplier-refused-hold"
    row = await state(shop, diamond)
    assert (row["availability"], row["hold_id"], row["hold_expires_at"]) == ("available", None, None)


async def test_a_hold_that_the_supplier_refuses_with_an_error_is_free_again_here(shop, supplier, offered, monkeypatch):
    diamond, item = await offered()

    async def refuse(*_):
        raise TerminalError("FORBIDDEN", code="supplier-refused")

    monkeypatch.setattr(NivodaTrading, "hold", refuse)
    with pytest.raises(Conflict) as refused:
        await trade.hold(diamond, "acme", HALF_AN_HOUR)
    assert refused.value.code == "supplier-refused-hold"
    assert (await state(shop, diamond))["availability"] == "available"
    assert supplier.held(item) == []


async def test_a_hold_that_has_ended_as_it_is_placed_lasts_as_long_as_ours(shop, supplier, offered, monkeypatch):
    diamond, _ = await offered()
    place = NivodaTrading.hold

    async def long_ago(self, stone_id):
        return replace(present(await place(self, stone_id)), until=datetime(2020, 1, 1, tzinfo=UTC))

    monkeypatch.setattr(NivodaTrading, "hold", long_ago)
    held = await trade.hold(diamond, "acme", HALF_AN_HOUR)
    assert held.expires_at > datetime.now(UTC) + timedelta(minutes=25)
    assert (present(held.supplier).state, present(held.supplier).until) == ("held", None)


async def test_a_hold_whose_answer_was_lost_is_found_at_the_supplier(supplier, offered):
    diamond, item = await offered()
    supplier.losing_answers()
    held = await trade.hold(diamond, "acme", HALF_AN_HOUR)
    (there,) = supplier.held(item)
    at_supplier = present(held.supplier)
    assert (at_supplier.state, at_supplier.hold_id, at_supplier.until) == ("held", there["id"], None)


async def test_a_hold_that_cannot_be_looked_for_is_unknown_until_it_can(shop, supplier, offered):
    diamond, item = await offered()
    await trade.availability(diamond, "acme")  # logged in
    with supplier.service.hanging():
        held = await trade.hold(diamond, "acme", HALF_AN_HOUR)
    assert present(held.supplier).state == "unknown"
    assert await supplier_holds.settle() == 0, "it is too fresh"
    await shop.fetch("update diamonds.hold_history set supplier_changed_at = now() - interval '1 hour'")
    assert await supplier_holds.settle() == 0
    (row,) = await shop.fetch("select supplier_state, supplier_hold_id, released_at from diamonds.hold_history")
    there = supplier.held(item)
    if there:  # the request that hung was served in the end
        assert (row["supplier_state"], row["supplier_hold_id"]) == ("held", there[0]["id"])
    else:
        assert row["supplier_state"] == "refused"
        assert row["released_at"]
        assert (await state(shop, diamond))["availability"] == "available"


async def test_a_hold_that_ended_by_the_clock_is_given_up_at_the_supplier(shop, supplier, offered):
    diamond, item = await offered()
    await trade.hold(diamond, "acme", HALF_AN_HOUR)
    # Meanwhile a run has read that the stone is held there: by us.
    await shop.fetch("update diamonds.diamonds set feed_availability = 'on_hold' where id = %s", diamond)
    past = "now() - interval '1 minute'"
    await shop.fetch(f"update diamonds.hold_history set expires_at = {past}")
    await shop.fetch(f"update diamonds.diamonds set hold_expires_at = {past} where id = %s", diamond)
    assert await trade.anything_open()
    assert await supplier_holds.end_past() == 1
    assert supplier.held(item) == []
    assert (await trade.availability(diamond, "anybody")).available
    assert not await trade.anything_open()


async def test_what_cannot_be_given_up_now_is_later(shop, supplier, offered):
    diamond, item = await offered()
    await trade.hold(diamond, "acme", HALF_AN_HOUR)
    supplier.faults(server_error={"probability": 1})
    await trade.release(diamond, "acme")
    assert len(supplier.held(item)) == 1
    supplier.faults()
    assert await supplier_holds.end_past() == 1
    assert supplier.held(item) == []


async def test_a_purchase_is_ordered_once_with_our_number(shop, supplier, offered):
    diamond, item = await offered()
    await trade.hold(diamond, "acme", HALF_AN_HOUR)
    bought, replayed = await trade.purchase(
        diamond, "acme", "key", PurchaseRequest(expected_price=None, reference="ring 7")
    )
    (order,) = supplier.ordered(item)
    at_supplier = present(bought.supplier)
    assert (at_supplier.state, at_supplier.order_id, replayed) == ("ordered", order["id"], False)
    assert (order["number"], order["comment"]) == (f"MF-{bought.purchase_id}", "ring 7")
    again, replayed = await trade.purchase(
        diamond, "acme", "key", PurchaseRequest(expected_price=None, reference="ring 7")
    )
    assert (again, replayed) == (bought, True)
    assert len(supplier.ordered(item)) == 1
    row = await state(shop, diamond)
    assert (row["availability"], row["hold_id"]) == ("sold", None)
    assert not await trade.anything_open()


async def test_of_many_purchases_at_once_one_is_ordered(supplier, offered):
    diamond, item = await offered()
    found = await asyncio.gather(
        *(trade.purchase(diamond, f"client-{n}", "key", ANY_PRICE) for n in range(8)), return_exceptions=True
    )
    assert sum(not isinstance(one, Exception) for one in found) == 1
    assert len(supplier.ordered(item)) == 1


async def test_an_order_whose_answer_was_lost_is_never_sent_again(shop, supplier, offered):
    diamond, item = await offered()
    supplier.losing_answers()
    bought, _ = await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    assert (present(bought.supplier).state, bought.settled) == ("unknown", False)
    supplier.faults()
    again, replayed = await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    assert (present(again.supplier).state, replayed) == ("unknown", True)
    assert await orders.end_stale() == [bought.purchase_id]
    (order,) = supplier.ordered(item)
    with pytest.raises(Conflict):
        await trade.purchase(diamond, "another", "key", ANY_PRICE)

    await trade.resolve(bought.purchase_id, order["id"])
    settled, _ = await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    at_supplier = present(settled.supplier)
    assert (at_supplier.state, at_supplier.order_id) == ("ordered", order["id"])
    with pytest.raises(Conflict) as refused:
        await trade.resolve(bought.purchase_id, None)
    assert refused.value.code == "order-known"


async def test_an_order_that_never_arrived_is_undone_by_a_person(shop, supplier, offered):
    diamond, _ = await offered()
    held = await trade.hold(diamond, "acme", HALF_AN_HOUR)
    supplier.losing_answers()
    bought, _ = await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    await trade.resolve(bought.purchase_id, None)
    row = await state(shop, diamond)
    assert (row["availability"], row["hold_id"], row["hold_expires_at"]) == ("on_hold", held.hold_id, held.expires_at)
    with pytest.raises(Conflict) as refused:
        await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    assert refused.value.code == "purchase-undone"
    with pytest.raises(NotFound):
        await trade.resolve(10**12, None)


async def test_a_sale_that_the_supplier_does_not_take_is_undone(shop, supplier, offered):
    diamond, item = await offered()
    supplier.faults(server_error={"probability": 1})
    with pytest.raises(TransientError):
        await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    supplier.faults()
    assert await shop.fetch("select id from diamonds.purchase_history") == []
    assert (await state(shop, diamond))["availability"] == "available"
    bought, replayed = await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    assert (present(bought.supplier).state, replayed) == ("ordered", False)
    assert len(supplier.ordered(item)) == 1


async def test_what_is_sold_at_the_supplier_is_not_sold_here(shop, supplier, offered):
    diamond, item = await offered()
    await supplier.ask("mutation ($i: [OrderItemInput!]!) { create_order(items: $i) }", i=[{"offerId": item["id"]}])
    asked = await trade.availability(diamond, "acme")
    assert (asked.availability, present(asked.supplier).availability, asked.available) == ("available", "sold", False)
    with pytest.raises(Conflict) as refused:
        await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    assert refused.value.code == "supplier-not-available"
    assert (await state(shop, diamond))["availability"] == "available"


async def test_what_the_supplier_made_dearer_is_not_sold_at_the_old_price(shop, supplier, offered):
    diamond, item = await offered()
    await shop.fetch("update diamonds.diamonds set price_model_price = price_model_price / 2 where id = %s", diamond)
    asked = await trade.availability(diamond, "acme")
    assert present(asked.supplier).price == item["price"] / 100
    with pytest.raises(Conflict) as refused:
        await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    assert refused.value.code == "supplier-price-changed"
    assert supplier.ordered(item) == []


@pytest.mark.parametrize("held", [False, True])
async def test_what_has_no_price_at_the_supplier_is_not_sold(shop, supplier, offered, monkeypatch, held):
    diamond, item = await offered()
    if held:
        await trade.hold(diamond, "acme", HALF_AN_HOUR)
    look = NivodaTrading.look

    async def without_price(self, stone_id):
        return replace(present(await look(self, stone_id)), price=None)

    monkeypatch.setattr(NivodaTrading, "look", without_price)
    asked = await trade.availability(diamond, "acme")
    assert (asked.available, present(asked.supplier).price) == (False, None)
    with pytest.raises(Conflict) as refused:
        await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    assert (refused.value.code, supplier.ordered(item)) == ("supplier-price-missing", [])
    assert (await state(shop, diamond))["availability"] == ("on_hold" if held else "available")
    monkeypatch.undo()


async def test_an_order_whose_sender_died_is_unknown_after_two_minutes(shop, supplier, offered, monkeypatch):
    diamond, item = await offered()

    async def dies(*_):
        raise asyncio.CancelledError

    monkeypatch.setattr(orders, "_ordered", dies)  # after the supplier took it, before that is stored
    with pytest.raises(asyncio.CancelledError):
        await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    monkeypatch.undo()
    assert await orders.end_stale() == []
    again, _ = await trade.purchase(diamond, "acme", "key", ANY_PRICE)
    assert present(again.supplier).state == "asked"
    await shop.fetch("update diamonds.purchase_history set supplier_changed_at = now() - interval '3 minutes'")
    assert await orders.end_stale() == [again.purchase_id]
    assert [one.id for one in await trade.listed("purchase", unsettled=True, before=None, limit=10)] == [
        again.purchase_id
    ]
    assert len(supplier.ordered(item)) == 1


async def test_a_supplier_that_is_away_leaves_what_we_know(shop, supplier, offered, monkeypatch):
    diamond, _ = await offered()
    monkeypatch.setenv("NIVODA_ENDPOINT", f"http://127.0.0.1:{free_port()}/graphql")
    forget_settings()
    asked = await trade.availability(diamond, "acme")
    assert (asked.available, present(asked.supplier).availability, present(asked.supplier).price) == (True, None, None)
    with pytest.raises(TransientError) as refused:
        await trade.hold(diamond, "acme", HALF_AN_HOUR)
    assert refused.value.code == "supplier-unreachable"
    assert (await state(shop, diamond))["availability"] == "available"
