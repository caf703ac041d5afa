"""A search request and its answer."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Json, StringConstraints, ValidationInfo, field_validator

from shared.diamonds.models import AvailabilityState
from shared.platform.cursors import OPENED, Next
from shared.platform.models import LazyModel

SortBy = Literal["created_at", "price_model_price", "carats", "color", "clarity"]
Order = Literal["asc", "desc"]
Grade = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=50)]
Shapes = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[^,]{1,50}(,[^,]{1,50}){0,19}$")
]
Carats = Annotated[Decimal, Field(ge=0, lt=10_000, max_digits=12, decimal_places=6)]
Dollars = Annotated[Decimal, Field(ge=0, lt=10_000_000_000, max_digits=18, decimal_places=6)]


class Search(LazyModel):
    """Which diamonds to list, in which order, and which part of the list. Both ends of a range are included."""

    model_config = ConfigDict(extra="forbid")
    shape: Shapes | None = Field(default=None, description="One, or several by commas; in whatever case")
    carat_min: Carats | None = None
    carat_max: Carats | None = None
    color: Grade | None = Field(default=None, description="In whatever case")
    clarity: Grade | None = Field(default=None, description="In whatever case")
    cut: Grade | None = Field(default=None, description="In whatever case")
    lab_grown: bool | None = Field(
        default=None, description="false: only those known to be natural; left out: all, also those of unknown origin"
    )
    price_min: Dollars | None = Field(default=None, description="Of price_model_price, US dollars")
    price_max: Dollars | None = Field(default=None, description="Of price_model_price, US dollars")
    retail_min: Dollars | None = Field(default=None, description="Of retail_price, US dollars")
    retail_max: Dollars | None = Field(default=None, description="Of retail_price, US dollars")
    availability: AvailabilityState | None = Field(default=None, description="Now")
    certificate_lab: Grade | None = Field(default=None, description="In whatever case")
    certificate_number: (
        Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=100)] | None
    ) = Field(default=None, description="In whatever case")
    one_per_certificate: bool = Field(
        default=True,
        description="Of the offers of one certificate that fit, only the best: available before others, then cheapest."
        " A page has fewer diamonds where others were left out",
    )
    sort_by: SortBy = Field(
        default="created_at", description="Color and clarity sort by grade, the best first when ascending"
    )
    sort_order: Order = "desc"
    limit: int = Field(default=50, ge=1, le=100, description="Most diamonds of one page")
    page: int = Field(default=1, ge=1, le=100_000, description="Far pages take longer; a cursor never does")
    cursor: Annotated[str, Field(max_length=200), OPENED] | None = Field(
        default=None, description="`pagination.next` of the page before"
    )

    @field_validator("carat_max", "price_max", "retail_max")
    @classmethod
    def _ascending(cls, most: Decimal | None, info: ValidationInfo) -> Decimal | None:
        lower = str(info.field_name).replace("max", "min")
        least = info.data.get(lower)
        if most is not None and least is not None and least > most:
            raise ValueError(f"It is under {lower}. Both ends of a range are included.")
        return most

    @field_validator("cursor")
    @classmethod
    def _instead_of_a_page(cls, cursor: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("page", 1) > 1:
            raise ValueError("A cursor stands for a page of its own. Send page or cursor.")
        return cursor


class Export(Search):
    """Which diamonds to write down, as in a search; pages go by the cursor alone."""

    limit: int = Field(default=10_000, ge=1, le=20_000, description="Most diamonds of one answer")
    page: int = Field(default=1, ge=1, le=1, description="Always 1")


class Diamond(LazyModel):
    """A diamond on offer. Prices are US dollars."""

    id: int
    feed: str
    supplier_stone_id: str
    offer_id: str
    shape: str
    carats: float
    color: str | None = Field(description="A grade from D on, or FANCY")
    fancy_color: str | None = Field(description="Of a diamond with a colour of its own: YELLOW, PINK ...")
    fancy_intensity: str | None = Field(description="FAINT to FANCY VIVID")
    fancy_overtone: str | None
    clarity: str | None
    cut: str | None
    polish: str | None
    symmetry: str | None
    fluorescence: str | None
    lab_grown: bool | None = Field(description="null: the supplier does not say")
    lab_grown_type: str | None = Field(description="CVD or HPHT")
    treated: bool | None
    price_model_price: float = Field(description="The supplier's price")
    price_per_carat: float = Field(description="The supplier's price by carat")
    retail_price: float
    markup_ratio: float
    rating: int | None
    availability: AvailabilityState
    image_url: str | None
    video_url: str | None
    certificate_lab: str | None
    certificate_number: str | None
    certificate_url: str | None
    measurements: Json[dict[str, Any]]
    attributes: Json[dict[str, Any]]
    supplier_name: str | None
    created_at: datetime
    updated_at: datetime


class Found(LazyModel):
    """How much was found and where this page lies in it."""

    total: int = Field(description="Offers that fit, also those of a certificate that another one stands for")
    total_is: Literal["exact", "estimated"] = Field(
        serialization_alias="totalIs",
        description="Thousands are estimated from a sample: some percent off, about 2 where they are very many",
    )
    page: int | None = Field(description="null when a cursor was sent")
    limit: int
    total_pages: int = Field(serialization_alias="totalPages")
    next: Next = Field(description="Cursor of the next page; null on the last one")


class SearchPage(LazyModel):
    """A part of the diamonds that fit."""

    data: list[Diamond]
    pagination: Found
