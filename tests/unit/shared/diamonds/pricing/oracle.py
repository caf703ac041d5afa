"""What `diamonds.markup_of` and the prices must come to, written a second time in Python."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from pydantic import Field, StrictBool

from shared.diamonds.models import FeedName, Model
from shared.diamonds.pricing.terms import PricingRule

DEFAULT_MARKUP = Decimal("1.15")
"""Ratio of retail to supplier's price where no rule matches (facts of the system being replaced)."""

_CENT = Decimal("0.01")


def fits(rule: PricingRule, stone: Unpriced) -> bool:
    """Whether the stone meets every condition. A stone that is not known to be lab-grown or not meets neither."""
    return (
        rule.active
        and (rule.carat_min is None or stone.carats >= rule.carat_min)
        and (rule.carat_max is None or stone.carats <= rule.carat_max)
        and (rule.shapes is None or stone.shape.upper() in rule.shapes)
        and (rule.lab_grown is None or stone.lab_grown is rule.lab_grown)
        and (rule.feed is None or stone.feed == rule.feed)
    )


class Unpriced(Model):
    """What a price depends on. `price` is the supplier's, in US dollars."""

    feed: FeedName
    shape: str
    carats: Decimal = Field(gt=0)
    lab_grown: StrictBool | None
    price: Decimal = Field(gt=0)


class Priced(Model):
    """US dollars, rounded half up to cents. `rule` is the id of the rule that was applied."""

    retail_price: Decimal
    price_per_carat: Decimal
    markup_ratio: Decimal
    rating: int | None
    rule: int | None


def price(stone: Unpriced, rules: Iterable[PricingRule]) -> Priced:
    """The stone's prices under the first rule that fits it, or under the default markup."""
    fitting = min(
        (rule for rule in rules if fits(rule, stone)), key=lambda rule: (rule.priority, rule.id), default=None
    )
    ratio = fitting.markup_ratio if fitting else DEFAULT_MARKUP
    return Priced(
        retail_price=cents(stone.price * ratio),
        price_per_carat=cents(stone.price / stone.carats),
        markup_ratio=ratio,
        rating=fitting.rating if fitting else None,
        rule=fitting.id if fitting else None,
    )


def dollars(amount: Decimal, unit: Literal["cents", "dollars"]) -> Decimal:
    """A supplier's amount in US dollars."""
    return cents(amount / 100 if unit == "cents" else amount)


def cents(amount: Decimal) -> Decimal:
    """Rounded to cents, halves away from zero, as PostgreSQL rounds numeric."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)
