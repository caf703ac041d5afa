"""Whether a diamond can be bought now: by what we know, and by what its supplier says."""

import pytest

from local.processes import free_port
from shared.diamonds.offer import trade
from shared.diamonds.offer.trade import availability, hold
from shared.platform.errors import TransientError
from tests.fresh_settings import forget_settings
from tests.integration.shared.diamonds.offer.trade.conftest import ANY_PRICE, HALF_AN_HOUR, expire, state
from tests.present import present


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


async def test_after_a_hold_the_supplier_has_the_word(shop):
    diamond = await shop.offer()
    await hold(diamond, "acme", HALF_AN_HOUR)
    await shop.fetch("update diamonds.diamonds set feed_availability = 'sold' where id = %s", diamond)
    assert (await availability(diamond, "acme")).available
    await expire(shop, diamond)
    assert (await availability(diamond, "acme")).availability == "sold"


async def test_a_feed_without_holds_says_so(shop, supplier):
    diamond = await shop.offer(feed="brilliant")
    held = await trade.hold(diamond, "acme", HALF_AN_HOUR)
    assert (held.ours_alone, held.supplier) == (True, None)
    assert (await trade.availability(diamond, "acme")).ours_alone
    bought, _ = await trade.purchase(diamond, "acme", "k", ANY_PRICE)
    assert (bought.ours_alone, bought.supplier, bought.settled) == (True, None, True)


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
