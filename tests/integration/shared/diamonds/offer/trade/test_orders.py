"""Purchases ordered at the supplier: over the wire, with answers that are lost and processes that die."""

import asyncio
from dataclasses import replace

import pytest

from shared.diamonds.ingestion.suppliers.nivoda_trading import NivodaTrading
from shared.diamonds.offer import trade
from shared.diamonds.offer.trade import PurchaseRequest, orders
from shared.platform.errors import Conflict, NotFound, TransientError
from tests.integration.shared.diamonds.offer.trade.conftest import ANY_PRICE, HALF_AN_HOUR, state
from tests.present import present


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
