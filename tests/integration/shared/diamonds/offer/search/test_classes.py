"""Bands of carats and of prices are the same here and in the database."""

from decimal import Decimal

from shared.diamonds.offer.search.classes import CARAT_BOUNDS, PRICE_BOUNDS, classes


async def test_classes_are_the_same_in_the_database(shop):
    amounts = [f"{bound + step:.2f}" for bound in CARAT_BOUNDS for step in map(Decimal, ("-0.01", "0", "0.01"))]
    for carats in amounts:
        for lab_grown in (True, False, None):
            await shop.offer(carats=carats, lab_grown=lab_grown, price_model_price=Decimal(carats) * 1_000)
    for bound in PRICE_BOUNDS:
        for step in ("-0.01", "0"):
            await shop.offer(price_model_price=bound + Decimal(step))
    stored = await shop.fetch(
        "select carats, price_model_price as price, lab_grown, carat_class, price_class from diamonds.diamonds"
    )
    for row in stored:
        lab_grown = row["lab_grown"] is True  # of unknown origin: with the natural ones
        assert [row["carat_class"]] == classes(CARAT_BOUNDS, row["carats"], row["carats"], lab_grown)
        assert [row["price_class"]] == classes(PRICE_BOUNDS, row["price"], row["price"], lab_grown)
    assert list(classes(CARAT_BOUNDS, None, None, None)) == list(range(2 * len(CARAT_BOUNDS) + 2))
