"""A diamond is sold once, and once for each key of a buyer, however many ask at the same moment."""

from decimal import Decimal

import pytest

from shared.diamonds.offer.trade import PurchaseRequest, availability, hold, purchase
from shared.platform.errors import Conflict, NotFound
from tests.integration.shared.diamonds.offer.trade.conftest import (
    ANY_PRICE,
    HALF_AN_HOUR,
    MANY,
    codes,
    expire,
    outcomes,
    won,
)


async def test_of_many_purchases_at_once_one_wins(shop):
    diamond = await shop.offer()
    found = await outcomes(*(purchase(diamond, f"client-{n}", "key", ANY_PRICE) for n in range(MANY)))
    assert len(won(found)) == 1
    assert codes(found) == ["diamond-not-available"] * (MANY - 1)
    assert len(await shop.fetch("select id from diamonds.purchase_history")) == 1


async def test_holds_and_purchases_at_once_leave_one_owner(shop):
    diamond = await shop.offer()
    steps = [hold(diamond, f"holder-{n}", HALF_AN_HOUR) for n in range(8)]
    found = await outcomes(*steps, *(purchase(diamond, f"buyer-{n}", "key", ANY_PRICE) for n in range(8)))
    assert len(won(found)) == 1


async def test_a_purchase_repeated_at_once_is_one_purchase_with_one_answer(shop):
    diamond = await shop.offer()
    found = await outcomes(*(purchase(diamond, "acme", "key", ANY_PRICE) for _ in range(MANY)))
    assert [one for one in found if isinstance(one, Exception)] == []
    assert len({answer.model_dump_json() for answer, _ in found}) == 1
    assert sorted(replayed for _, replayed in found) == [False] + [True] * (MANY - 1)


async def test_the_same_key_buys_one_of_two_diamonds_at_once(shop):
    pair = [await shop.offer(), await shop.offer()]
    found = await outcomes(*(purchase(one, "acme", "key", ANY_PRICE) for one in pair))
    assert len(won(found)) == 1
    assert codes(found) == ["idempotency-key-reused"]


async def test_the_same_key_with_another_body_is_refused_also_after_the_diamond_is_gone(shop):
    diamond = await shop.offer()
    first, replayed = await purchase(diamond, "acme", "key", ANY_PRICE)
    assert not replayed
    await shop.fetch("update diamonds.diamonds set status = 'deleted', deleted_at = now() where id = %s", diamond)
    assert await purchase(diamond, "acme", "key", ANY_PRICE) == (first, True)
    for other in (
        PurchaseRequest(expected_price=None, reference="x"),
        PurchaseRequest(expected_price=Decimal(1), reference=None),
    ):
        with pytest.raises(Conflict) as refused:
            await purchase(diamond, "acme", "key", other)
        assert refused.value.code == "idempotency-key-reused"
    with pytest.raises(NotFound):
        await purchase(diamond, "acme", "another key", ANY_PRICE)


async def test_the_same_key_of_another_client_means_nothing(shop):
    await purchase(await shop.offer(), "acme", "key", ANY_PRICE)
    _, replayed = await purchase(await shop.offer(), "other", "key", ANY_PRICE)
    assert not replayed


async def test_a_refused_purchase_leaves_the_key_unused(shop):
    diamond = await shop.offer()
    await hold(diamond, "other", HALF_AN_HOUR)
    with pytest.raises(Conflict):
        await purchase(diamond, "acme", "key", ANY_PRICE)
    await expire(shop, diamond)
    answer, replayed = await purchase(diamond, "acme", "key", ANY_PRICE)
    assert (answer.diamond_id, replayed) == (diamond, False)


async def test_a_sold_diamond_stays_sold_whatever_the_supplier_says(shop):
    diamond = await shop.offer()
    await purchase(diamond, "acme", "key", ANY_PRICE)
    await shop.fetch("update diamonds.diamonds set feed_availability = 'available' where id = %s", diamond)
    assert (await availability(diamond, "acme")).availability == "sold"
    with pytest.raises(Conflict):
        await hold(diamond, "acme", HALF_AN_HOUR)


async def test_a_price_that_changed_is_not_paid(shop):
    diamond = await shop.offer(retail_price="1200.00")
    with pytest.raises(Conflict, match=r"1200\.00") as refused:
        await purchase(diamond, "acme", "key", PurchaseRequest(expected_price=Decimal(1150), reference=None))
    assert refused.value.code == "price-changed"
    assert await shop.fetch("select id from diamonds.purchase_history") == []
