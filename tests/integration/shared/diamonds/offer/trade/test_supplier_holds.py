"""Holds made at the supplier, too: over the wire, with answers that are lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.diamonds.ingestion.suppliers.nivoda_trading import NivodaTrading
from shared.diamonds.offer import trade
from shared.diamonds.offer.trade import HoldRequest, supplier_holds
from shared.platform.errors import Conflict, TerminalError
from tests.integration.shared.diamonds.offer.trade.conftest import HALF_AN_HOUR, state
from tests.present import present


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
