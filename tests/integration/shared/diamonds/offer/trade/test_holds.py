"""A diamond is held by one client at a time, however many ask at the same moment."""

from decimal import Decimal

import pytest

from shared.diamonds.offer.trade import HoldRequest, PurchaseRequest, availability, hold, purchase, release
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


async def test_of_many_holds_at_once_one_wins(shop):
    diamond = await shop.offer()
    found = await outcomes(*(hold(diamond, f"client-{n}", HALF_AN_HOUR) for n in range(MANY)))
    assert len(won(found)) == 1
    assert codes(found) == ["diamond-held"] * (MANY - 1)
    stored = await shop.fetch("select hold_id from diamonds.hold_history")
    assert [row["hold_id"] for row in stored] == [won(found)[0].hold_id]


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
