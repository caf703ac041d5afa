"""The oracle of prices: which rule a diamond gets, and how amounts are rounded."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.diamonds.pricing.terms import PricingRule
from tests.unit.shared.diamonds.pricing.oracle import DEFAULT_MARKUP, Unpriced, cents, dollars, fits, price

carats = st.decimals("0.01", "20", places=2)
rules = st.lists(
    st.builds(
        PricingRule,
        id=st.integers(1, 10_000),
        priority=st.integers(1, 5),
        carat_min=st.none() | st.decimals("0", "2", places=2),
        carat_max=st.none() | st.decimals("2", "20", places=2),
        shapes=st.none() | st.sets(st.sampled_from(["ROUND", "oval", "PEAR"]), min_size=1).map(tuple),
        lab_grown=st.none() | st.booleans(),
        feed=st.none() | st.sampled_from(["nivoda", "other"]),
        markup_ratio=st.decimals("0.5", "9.9999", places=4),
        rating=st.none() | st.integers(1, 10),
        active=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda rule: rule.id,
)
stones = st.builds(
    Unpriced,
    feed=st.sampled_from(["nivoda", "other"]),
    shape=st.sampled_from(["ROUND", "OVAL", "PEAR", "HEART"]),
    carats=carats,
    lab_grown=st.none() | st.booleans(),
    price=st.decimals("0.01", "99999999.99", places=2),
)


@given(stones, rules)
def test_no_rule_before_the_one_that_is_applied_fits(stone, rules):
    priced = price(stone, rules)
    before = sorted(rules, key=lambda rule: (rule.priority, rule.id))
    for rule in before:
        if rule.id == priced.rule:
            assert (priced.markup_ratio, priced.rating) == (rule.markup_ratio, rule.rating)
            break
        assert not fits(rule, stone)
    else:
        assert (priced.rule, priced.markup_ratio, priced.rating) == (None, DEFAULT_MARKUP, None)


@given(stones, rules)
def test_the_order_of_the_rules_does_not_matter(stone, rules):
    assert price(stone, rules) == price(stone, reversed(rules))


@given(stones, rules)
def test_retail_is_the_price_times_the_ratio_to_half_a_cent(stone, rules):
    priced = price(stone, rules)
    assert abs(priced.retail_price - stone.price * priced.markup_ratio) <= Decimal("0.005")
    assert priced.retail_price.as_tuple().exponent == priced.price_per_carat.as_tuple().exponent == -2


def test_without_rules_the_default_markup_applies():
    stone = Unpriced(feed="nivoda", shape="ROUND", carats=Decimal("0.30"), lab_grown=False, price=Decimal("326.10"))
    priced = price(stone, [])
    assert (priced.retail_price, priced.price_per_carat) == (Decimal("375.02"), Decimal("1087.00"))


@pytest.mark.parametrize(("carats", "expected"), [("0.99", False), ("1.00", True), ("1.50", True), ("1.51", False)])
def test_carats_include_both_ends(carats, expected):
    rule = PricingRule(id=1, carat_min=Decimal("1.00"), carat_max=Decimal("1.50"), markup_ratio=Decimal("1.2"))
    stone = Unpriced(feed="nivoda", shape="ROUND", carats=Decimal(carats), lab_grown=None, price=Decimal(1))
    assert fits(rule, stone) is expected


def test_a_stone_of_unknown_origin_fits_only_rules_that_do_not_ask():
    stone = Unpriced(feed="nivoda", shape="ROUND", carats=Decimal(1), lab_grown=None, price=Decimal(1))
    asks = [PricingRule(id=1, lab_grown=origin, markup_ratio=Decimal("1.2")) for origin in (True, False)]
    assert [fits(rule, stone) for rule in asks] == [False, False]


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [("32600", "cents", "326.00"), ("32650.5", "cents", "326.51"), ("326.005", "dollars", "326.01")],
)
def test_amounts_become_dollars(amount, unit, expected):
    assert dollars(Decimal(amount), unit) == Decimal(expected)


def test_halves_of_cents_round_up():
    assert [cents(Decimal(amount)) for amount in ("0.005", "0.015", "0.0149")] == [
        Decimal("0.01"),
        Decimal("0.02"),
        Decimal("0.01"),
    ]
