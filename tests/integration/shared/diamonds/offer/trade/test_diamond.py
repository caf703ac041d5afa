"""Which diamonds can be held and bought, and who waits for one."""

from datetime import UTC, datetime

import pytest

from shared.diamonds.offer.trade import availability, hold, purchase, release
from shared.diamonds.offer.trade import diamond as one_diamond
from shared.platform.errors import Conflict, NotFound, TransientError
from shared.platform.stores.postgres import database
from tests.integration.shared.diamonds.offer.trade.conftest import ANY_PRICE, HALF_AN_HOUR


@pytest.mark.parametrize("state", ["on_hold", "sold", "unavailable"])
async def test_what_the_supplier_does_not_offer_cannot_be_held_or_bought(shop, state):
    diamond = await shop.offer(availability=state, feed_availability=state, hold_id="theirs")
    for step in (hold(diamond, "acme", HALF_AN_HOUR), purchase(diamond, "acme", "key", ANY_PRICE)):
        with pytest.raises(Conflict) as refused:
            await step
        assert refused.value.code == "diamond-not-available"


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
