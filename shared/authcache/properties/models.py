"""Properties, as callers send them and are shown them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from shared.authcache.models import Property
from shared.platform.models import LazyModel, RequestBody
from shared.platform.printable import Line, Name

Money = Annotated[Decimal, Field(ge=0, lt=Decimal(10) ** 12, decimal_places=2)]


def _text(value: object) -> object:
    if not isinstance(value, str | date):
        raise ValueError("a day is written as text: 2026-11-30")  # noqa: TRY004 - pydantic reads ValueError
    return value


Day = Annotated[date, BeforeValidator(_text)]
Kind = Literal["single_family", "multi_family", "condo", "townhouse", "land", "commercial", "other"]
Status = Literal["evaluating", "owned", "rehabbing", "listed", "sold"]
Notes = Annotated[str, StringConstraints(max_length=4000)]


class PropertyFields(RequestBody):
    """A property; a field that is left out has the value that is shown with it."""

    display_name: Name
    property_type: Kind = "single_family"
    status: Status = "evaluating"
    street: Line = ""
    city: Line = ""
    state: Line = ""
    zip_code: Annotated[Line, Field(max_length=20)] = ""
    purchase_date: Day | None = None
    purchase_price: Money | None = None
    market_value: Money | None = None
    monthly_rent: Money | None = None
    notes: Notes = ""


class PropertyAnswer(LazyModel):
    """A property, and what the caller may do with it."""

    id: str
    user_id: str
    display_name: str
    property_type: str
    status: str
    street: str
    city: str
    state: str
    zip_code: str
    purchase_date: date | None
    purchase_price: Decimal | None
    market_value: Decimal | None
    monthly_rent: Decimal | None
    notes: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    access: Literal["own", "edit", "read"]

    @classmethod
    def of(cls, row: Property, access: str) -> PropertyAnswer:
        """The property as shown to somebody with this access."""
        names = cls.model_fields.keys() - {"user_id", "access"}
        values = {name: getattr(row, name) for name in names}
        return cls.model_validate(values | {"user_id": row.owner, "access": access})


class PageQuery(LazyModel, extra="forbid"):
    """Which page of a list, and how long the pages are."""

    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class PropertyPage(LazyModel):
    """A page of properties, as the lists of this API have them."""

    items: list[PropertyAnswer]
    total: int = Field(description="Of all pages")
    page: int
    limit: int
