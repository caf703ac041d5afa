"""The terms of a pricing rule. Which rule a diamond gets, and its price, PostgreSQL computes: `diamonds.markup_of`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    StrictBool,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from shared.diamonds.ingestion.vocabulary import known_shape
from shared.diamonds.models import FeedName, Model

Carats = Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=2), PlainSerializer(float, when_used="json")]
Ratio = Annotated[Decimal, Field(gt=0, max_digits=5, decimal_places=4), PlainSerializer(float, when_used="json")]


def _known(shape: str) -> str:
    """A rule for a shape that no diamond can have would never fit, and nobody would see why."""
    if (known := known_shape(shape)) is None:
        message = f"{shape!a} is no known shape, such as ROUND or OVAL"
        raise ValueError(message)
    return known


StoredShape = Annotated[str, StringConstraints(min_length=1, to_upper=True)]
"""What is stored counts as it is, whoever has written it."""
Shape = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50), AfterValidator(_known)]


class RuleTerms(Model):
    """A markup for the diamonds that fit every condition; None fits all. Carats are from-to, both ends included."""

    priority: int = Field(
        default=100, strict=True, ge=-(2**31), lt=2**31, description="the lowest that fits wins, then the lowest id"
    )
    carat_min: Carats | None = None
    carat_max: Carats | None = None
    shapes: tuple[Shape, ...] | None = Field(
        default=None, min_length=1, max_length=100, description="as feeds name them, in whatever case"
    )
    lab_grown: StrictBool | None = None
    feed: FeedName | None = None
    markup_ratio: Ratio
    rating: int | None = Field(default=None, strict=True, ge=1, le=10)
    active: StrictBool = True

    @field_validator("shapes")
    @classmethod
    def _once(cls, shapes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return shapes and tuple(dict.fromkeys(shapes))

    @field_validator("carat_max")
    @classmethod
    def _ascending(cls, most: Decimal | None, info: ValidationInfo) -> Decimal | None:
        least = info.data.get("carat_min")
        if most is not None and least is not None and least > most:
            message = f"carat_min {least} is over carat_max {most}"
            raise ValueError(message)
        return most


class PricingRule(RuleTerms):
    """Terms that are applied, under the id by which rules of one priority are told apart."""

    id: int = Field(gt=0)
    shapes: tuple[StoredShape, ...] | None = Field(default=None, min_length=1, max_length=100)
