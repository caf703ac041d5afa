"""Diamonds on offer and pricing rules, as the tests of pricing want them."""

from types import SimpleNamespace

import pytest

from shared.diamonds.pricing.models import RepriceFeed
from shared.diamonds.pricing.repricing import begin, reprice
from shared.diamonds.pricing.rules import create_rule
from shared.diamonds.pricing.terms import RuleTerms
from shared.platform.stores.postgres import database

_OFFER = """
insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, lab_grown, price_model_price,
    price_per_carat, retail_price, markup_ratio, rating, availability, status, deleted_at)
values (%(feed)s, %(stone)s, 'o', %(shape)s, %(carats)s, %(lab_grown)s, %(price)s, 1,
    round(%(price)s::numeric * %(ratio)s::numeric, 2), %(ratio)s, %(rating)s, 'available', %(status)s,
    case when %(status)s::text = 'deleted' then now() end)
"""
_DEFAULTS = {"feed": "nivoda", "shape": "ROUND", "carats": "1.00", "lab_grown": False, "price": "1000.00",
             "ratio": "1.15", "rating": None, "status": "active"}  # fmt: skip


async def offer(*stones):
    """Put diamonds on offer, as consolidation left them: each a dictionary of what is not plain about it."""
    async with database() as connection:
        await connection.cursor().executemany(
            _OFFER, [_DEFAULTS | {"stone": f"s{n:05}"} | stone for n, stone in enumerate(stones)]
        )


async def rule(**terms):
    return await create_rule(RuleTerms.model_validate({"markup_ratio": "1.30"} | terms))


async def reprice_all(feed="nivoda"):
    started = await begin(RepriceFeed(feed=feed))
    return await reprice(started.repricing_id, 60)


@pytest.fixture
def offers(migrated):
    return SimpleNamespace(offer=offer, rule=rule, reprice_all=reprice_all)
