"""Several offers of one certificate are one diamond: the best of those that fit stands for it."""

import pytest

from shared.diamonds.offer.search import Search, find

SAME = {"certificate_lab": "GIA", "certificate_number": "7"}


async def listed(**terms):
    return [one.id for one in (await find(Search(sort_order="asc", **terms))).data]


async def test_the_cheapest_available_offer_stands_for_its_certificate(shop):
    await shop.offer(retail_price=90, availability="sold", hold_expires_at="infinity", **SAME)
    await shop.offer(retail_price=120, feed="brilliant", **SAME)
    best = await shop.offer(retail_price=110, feed="brilliant", **SAME)
    await shop.offer(retail_price=110, **SAME)
    other_lab = await shop.offer(retail_price=200, certificate_lab="IGI", certificate_number="7")
    none = [await shop.offer(), await shop.offer()]
    assert await listed() == [best, other_lab, *none]
    assert len(await listed(one_per_certificate=False)) == 7


async def test_the_best_is_the_best_of_those_that_fit(shop):
    cheap = await shop.offer(retail_price=100, availability="on_hold", **SAME)
    dear = await shop.offer(retail_price=300, feed="brilliant", **SAME)
    gone = await shop.offer(retail_price=1, status="deleted", deleted_at="now", **SAME)
    assert gone not in await listed()
    assert await listed() == [dear]
    assert await listed(availability="on_hold") == [cheap]
    assert await listed(retail_max=200) == [cheap]
    assert await listed(certificate_number="7") == [dear]


@pytest.mark.parametrize("few", [0, 2_000], ids=["many", "few"])
@pytest.mark.parametrize("sort_by", ["created_at", "price_model_price", "carats", "color"])
async def test_pages_skip_nothing_and_repeat_nothing(shop, monkeypatch, few, sort_by):
    monkeypatch.setattr("shared.diamonds.offer.search.read.FEW", few)
    monkeypatch.setattr("shared.diamonds.offer.search.read.FEW_BY_SIZE", few)
    best = set()
    for number in range(20):
        same = {"certificate_lab": "GIA", "certificate_number": str(number)}
        ids = [await shop.offer(retail_price=100 + at, feed=f"f{at}", **same) for at in range(number % 3 + 1)]
        best.add(ids[0])
    seen, cursor = [], None
    while True:
        page = await find(Search(limit=4, sort_by=sort_by, cursor=cursor))
        seen += [one.id for one in page.data]
        cursor = page.pagination.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert set(seen) == best
