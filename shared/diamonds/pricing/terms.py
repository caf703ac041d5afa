"""What a diamond costs in the shop: rules by priority, default markup, cents. Pure; consolidation.sql does the same."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PlainSerializer, StrictBool, StringConstraints, ValidationInfo, field_validator

from shared.diamonds.models import FeedName, Model

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_MARKUP = Decimal("1.15")
"""Ratio of retail to supplier's price where no rule matches (facts of the system being replaced)."""

PriceUnit = Literal["cents", "dollars"]
Carats = Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=2), PlainSerializer(float, when_used="json")]
Ratio = Annotated[Decimal, Field(gt=0, max_digits=5, decimal_places=4), PlainSerializer(float, when_used="json")]
Shape = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]

_CENT = Decimal("0.01")


class RuleTerms(Model):
    """A markup for the diamonds that fit every condition; None fits all. Carats are from-to, both ends included."""

    priority: int = Field(
        100, strict=True, ge=-(2**31), lt=2**31, description="the lowest that fits wins, then the lowest id"
    )
    carat_min: Carats | None = None
    carat_max: Carats | None = None
    shapes: tuple[Shape, ...] | None = Field(None, min_length=1, max_length=100, description="in whatever case")
    lab_grown: StrictBool | None = None
    feed: FeedName | None = None
    markup_ratio: Ratio
    rating: int | None = Field(None, strict=True, ge=1, le=10)
    active: StrictBool = True

    @field_validator("shapes")
    @classmethod
    def _upper(cls, shapes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return shapes and tuple(dict.fromkeys(shape.upper() for shape in shapes))

    @field_validator("carat_max")
    @classmethod
    def _ascending(cls, most: Decimal | None, info: ValidationInfo) -> Decimal | None:
        least = info.data.get("carat_min")
        if most is not None and least is not None and least > most:
            message = f"carat_min {least} is over carat_max {most}"
            raise ValueError(message)
        return most

    def fits(self, stone: Unpriced) -> bool:
        """Whether the stone meets every condition. A stone that is not known to be lab-grown or not meets neither."""
        return (
            self.active
            and (self.carat_min is None or stone.carats >= self.carat_min)
            and (self.carat_max is None or stone.carats <= self.carat_max)
            and (self.shapes is None or stone.shape.upper() in self.shapes)
            and (self.lab_grown is None or stone.lab_grown is self.lab_grown)
            and (self.feed is None or stone.feed == self.feed)
        )


class PricingRule(RuleTerms):
    """Terms that are applied, under the id by which rules of one priority are told apart."""

    id: int = Field(gt=0)


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
    fitting = min((rule for rule in rules if rule.fits(stone)), key=lambda rule: (rule.priority, rule.id), default=None)
    ratio = fitting.markup_ratio if fitting else DEFAULT_MARKUP
    return Priced(
        retail_price=cents(stone.price * ratio),
        price_per_carat=cents(stone.price / stone.carats),
        markup_ratio=ratio,
        rating=fitting.rating if fitting else None,
        rule=fitting.id if fitting else None,
    )


def dollars(amount: Decimal, unit: PriceUnit) -> Decimal:
    """A supplier's amount in US dollars."""
    return cents(amount / 100 if unit == "cents" else amount)


def cents(amount: Decimal) -> Decimal:
    """Rounded to cents, halves away from zero, as PostgreSQL rounds numeric."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)
