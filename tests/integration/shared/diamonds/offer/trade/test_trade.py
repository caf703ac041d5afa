"""A diamond is held by one client at a time and sold once, however many ask at the same moment."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.diamonds.offer.trade import HoldRequest, PurchaseRequest, availability, hold, purchase, release
from shared.diamonds.offer.trade import diamond as one_diamond
from shared.platform.errors import Conflict, ManifoldError, NotFound, TransientError
from shared.platform.stores.postgres import database

HALF_AN_HOUR = HoldRequest(minutes=30)
ANY_PRICE = PurchaseRequest(expected_price=None, reference=None)
MANY = 24


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


async def test_of_many_holds_at_once_one_wins(shop):
    diamond = await shop.offer()
    found = await outcomes(*(hold(diamond, f"client-{n}", HALF_AN_HOUR) for n in range(MANY)))
    assert len(won(found)) == 1
    assert codes(found) == ["diamond-held"] * (MANY - 1)
    stored = await shop.fetch("select hold_id from diamonds.hold_history")
    assert [row["hold_id"] for row in stored] == [won(found)[0].hold_id]


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


async def test_a_hold_keeps_others_out_and_lets_its_holder_buy(shop):
    diamond = await shop.offer()
    held = await hold(diamond, "acme", HALF_AN_HOUR)
    for step in (hold(diamond, "other", HALF_AN_HOUR), purchase(diamond, "other", "key", ANY_PRICE)):
        with pytest.raises(Conflict, match="held by another") as refused:
            await step
        assert f"{held.expires_at:%Y-%m-%dT%H:%M}" in str(refused.value.remedy)
    mine, others = await availability(diamond, "acme"), await availability(diamond, "other")
    assert (mine.available, mine.held_by_caller, mine.held_until) == (True, True, held.expires_at)
    assert (others.available, others.held_by_caller, others.availability) == (False, False, "on_hold")
    answer, _ = await purchase(diamond, "acme", "key", PurchaseRequest(expected_price=Decimal(1150), reference="PO 7"))
    assert (answer.price, answer.reference) == (1150.0, "PO 7")
    released = await shop.fetch("select released_at < expires_at as early from diamonds.hold_history")
    assert released == [{"early": True}]


async def test_the_holder_renews_and_never_shortens(shop):
    diamond = await shop.offer()
    first = await hold(diamond, "acme", HoldRequest(minutes=60))
    again = await hold(diamond, "acme", HoldRequest(minutes=1))
    longer = await hold(diamond, "acme", HoldRequest(minutes=120))
    assert (first.renewed, again.renewed, longer.renewed) == (False, True, True)
    assert first.hold_id == again.hold_id == longer.hold_id
    assert first.expires_at == again.expires_at < longer.expires_at


async def test_a_hold_ends_by_the_clock_with_nothing_running(shop):
    diamond = await shop.offer()
    await hold(diamond, "other", HALF_AN_HOUR)
    await expire(shop, diamond)
    now = await availability(diamond, "acme")
    assert (now.availability, now.available, now.held_until) == ("available", True, None)
    assert not (await hold(diamond, "acme", HALF_AN_HOUR)).renewed
    history = await shop.fetch(
        "select client_name, released_at = expires_at as expired from diamonds.hold_history order by id"
    )
    assert history == [{"client_name": "other", "expired": True}, {"client_name": "acme", "expired": None}]


async def test_of_many_who_wait_for_a_hold_to_end_one_gets_the_diamond(shop):
    diamond = await shop.offer()
    await hold(diamond, "first", HALF_AN_HOUR)
    soon = "now() + interval '0.3 seconds'"
    await shop.fetch(f"update diamonds.diamonds set hold_expires_at = {soon} where id = %s", diamond)
    await shop.fetch(f"update diamonds.hold_history set expires_at = {soon} where diamond_id = %s", diamond)

    async def insist(client):
        """Ask until somebody has it who did not have it before."""
        while True:
            try:
                return await hold(diamond, client, HALF_AN_HOUR)
            except Conflict:
                taken = await shop.fetch("select client_name from diamonds.hold_history where client_name <> 'first'")
                if taken:
                    raise

    found = await outcomes(*(insist(f"client-{n}") for n in range(8)))
    assert len(won(found)) == 1
    assert codes(found) == ["diamond-held"] * 7
    history = await shop.fetch("select client_name, released_at from diamonds.hold_history order by id")
    assert [row["released_at"] is None for row in history] == [False, True], "one hold is open"


async def test_the_holder_gives_a_hold_up_and_another_may_have_the_diamond(shop):
    diamond = await shop.offer()
    await hold(diamond, "acme", HALF_AN_HOUR)
    now = await release(diamond, "acme")
    assert (now.availability, now.available, now.held_by_caller, now.held_until) == ("available", True, False, None)
    assert not (await hold(diamond, "other", HALF_AN_HOUR)).renewed
    history = await shop.fetch("select released_at < expires_at as early from diamonds.hold_history order by id")
    assert history == [{"early": True}, {"early": None}]


async def test_only_who_holds_a_diamond_can_give_it_up(shop):
    diamond = await shop.offer()
    with pytest.raises(NotFound) as refused:
        await release(diamond, "acme")
    assert refused.value.code == "no-hold"
    held = await hold(diamond, "other", HALF_AN_HOUR)
    with pytest.raises(Conflict) as refused:
        await release(diamond, "acme")
    assert refused.value.code == "diamond-held"
    assert (await availability(diamond, "other")).held_until == held.expires_at


@pytest.mark.parametrize("end", ["expiry", "purchase", "release"])
async def test_what_has_ended_cannot_be_given_up(shop, end):
    diamond = await shop.offer()
    await hold(diamond, "acme", HALF_AN_HOUR)
    if end == "expiry":
        await expire(shop, diamond)
    elif end == "purchase":
        await purchase(diamond, "acme", "key", ANY_PRICE)
    else:
        await release(diamond, "acme")
    before = await availability(diamond, "acme")
    with pytest.raises(NotFound) as refused:
        await release(diamond, "acme")
    assert refused.value.code == "no-hold"
    assert await availability(diamond, "acme") == before


async def test_what_the_supplier_says_meanwhile_counts_when_the_hold_is_given_up(shop):
    diamond = await shop.offer()
    await hold(diamond, "acme", HALF_AN_HOUR)
    await shop.fetch("update diamonds.diamonds set feed_availability = 'sold' where id = %s", diamond)
    assert (await release(diamond, "acme")).availability == "sold"


async def test_releases_and_holds_at_once_leave_at_most_one_holder(shop):
    diamond = await shop.offer()
    await hold(diamond, "acme", HALF_AN_HOUR)
    found = await outcomes(
        *(release(diamond, "acme") for _ in range(4)), *(hold(diamond, f"c{n}", HALF_AN_HOUR) for n in range(8))
    )
    released, held = won(found[:4]), won(found[4:])
    assert len(released) == 1, "a hold is given up once"
    assert len(held) <= 1
    open_holds = await shop.fetch("select client_name from diamonds.hold_history where released_at is null")
    assert len(open_holds) == len(held)
    assert (await availability(diamond, "somebody")).available == (not held)


async def test_after_a_hold_the_supplier_has_the_word(shop):
    diamond = await shop.offer()
    await hold(diamond, "acme", HALF_AN_HOUR)
    await shop.fetch("update diamonds.diamonds set feed_availability = 'sold' where id = %s", diamond)
    assert (await availability(diamond, "acme")).available
    await expire(shop, diamond)
    assert (await availability(diamond, "acme")).availability == "sold"


@pytest.mark.parametrize("state", ["on_hold", "sold", "unavailable"])
async def test_what_the_supplier_does_not_offer_cannot_be_held_or_bought(shop, state):
    diamond = await shop.offer(availability=state, feed_availability=state, hold_id="theirs")
    for step in (hold(diamond, "acme", HALF_AN_HOUR), purchase(diamond, "acme", "key", ANY_PRICE)):
        with pytest.raises(Conflict) as refused:
            await step
        assert refused.value.code == "diamond-not-available"


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


async def test_deleted_and_unknown_diamonds_are_not_found(shop):
    deleted = await shop.offer(status="deleted", deleted_at=datetime.now(UTC))
    for diamond in (deleted, deleted + 1_000):
        for step in (
            availability(diamond, "acme"),
            hold(diamond, "acme", HALF_AN_HOUR),
            purchase(diamond, "acme", "key", ANY_PRICE),
            release(diamond, "acme"),
        ):
            with pytest.raises(NotFound):
                await step


async def test_a_diamond_that_others_have_for_too_long_can_be_tried_again(shop, monkeypatch):
    diamond = await shop.offer()
    monkeypatch.setattr(one_diamond, "LOCK_SECONDS", 0.05)
    async with database() as other:
        await other.execute("select from diamonds.diamonds where id = %s for update", (diamond,))
        with pytest.raises(TransientError):
            await hold(diamond, "acme", HALF_AN_HOUR)
    assert (await hold(diamond, "acme", HALF_AN_HOUR)).diamond_id == diamond
