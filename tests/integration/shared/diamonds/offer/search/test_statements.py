"""How many fit is exact where they are few, and near where a sample tells it."""

from decimal import Decimal

from shared.diamonds.offer.search import Search, find, statements


async def test_a_total_from_the_sample_is_near_and_says_so(shop, monkeypatch):
    await shop.fetch(
        "insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, lab_grown, price_model_price,"
        " price_per_carat, retail_price, markup_ratio, availability)"
        " select 'nivoda', 's' || n, 'o', 'ROUND', 0.2 + mod(n, 100) / 50.0, mod(n, 4) = 0, n, n, n, 1.15, 'available'"
        " from generate_series(1, 20000) n"
    )
    for search, number in ((Search(), 20_000), (Search(shape="ROUND", price_min=Decimal(5_001)), 15_000)):
        page = (await find(search)).pagination
        assert page.total_is == "estimated"
        assert abs(page.total - number) < 0.1 * number
        assert page.total_pages == -(-page.total // 50)
    few = (await find(Search(price_max=Decimal(4_000), lab_grown=True))).pagination
    assert (few.total, few.total_is) == (1_000, "exact")
    last = (await find(Search(page=400))).pagination
    assert (last.total, last.total_is, last.next) == (20_000, "exact", None)
    beyond = await find(Search(page=5_000))
    assert beyond.data == []
    assert beyond.pagination.total < 22_000


async def test_a_total_of_very_many_is_told_by_the_first_that_fit(shop, monkeypatch):
    monkeypatch.setattr(statements, "SAMPLE_HITS", 100)
    await shop.fetch(
        "insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, lab_grown, price_model_price,"
        " price_per_carat, retail_price, markup_ratio, availability) select 'nivoda', 's' || n, 'o', 'ROUND', 1, false,"
        " n, n, n, 1.15, 'available' from generate_series(1, 20000) n"
    )
    for search, number in ((Search(), 20_000), (Search(price_max=Decimal(8_000)), 8_000)):
        page = (await find(search)).pagination
        assert abs(page.total - number) < 0.3 * number  # three standard deviations
