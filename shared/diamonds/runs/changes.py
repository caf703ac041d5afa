"""What a run would change, as its review finds it before anything is changed."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from shared.diamonds.models import Model


class PriceChange(Model):
    """One diamond's price at the supplier, US dollars; `factor` is how many times dearer or cheaper it becomes."""

    supplier_stone_id: str
    before: float
    after: float
    factor: float


class RunDifference(Model):
    """What consolidating the run would change, or has changed. Prices are the supplier's, in US dollars."""

    rows: int = Field(ge=0, description="rows that wait for consolidation")
    failed: int = Field(ge=0, description="of those: cannot be priced")
    contradicting: int = Field(ge=0, description="of those: the price is outside the range by which it was asked for")
    new: int = Field(ge=0, description="diamonds that are not on offer yet")
    dearer: int = Field(ge=0)
    cheaper: int = Field(ge=0)
    jumped: int = Field(ge=0, description="of the dearer and cheaper: to more than double or less than half")
    unchanged: int = Field(ge=0, description="diamonds whose price stays")
    gone: int | None = Field(ge=0, description="diamonds on offer that the run has not seen; null: it does not say")
    offered: int = Field(ge=0, description="diamonds on offer before")
    lost: int = Field(
        default=0, ge=0, description="diamonds on offer whose availability, origin or certificate is not named any more"
    )
    back_on_sale: int = Field(
        default=0, ge=0, description="diamonds that were sold or on hold at the supplier, and are not any more"
    )
    listed: int = Field(default=0, ge=0, description="diamonds that the run has seen")
    waiting: int = Field(
        default=0, ge=0, description="of those: they wait for a run that is held, or were discarded with one"
    )
    up: float = Field(description="by how much the dearer ones rise together")
    down: float = Field(description="by how much the cheaper ones fall together")
    worst: list[PriceChange] = Field(max_length=10, description="the prices that change most")
    judged_at: AwareDatetime | None = None
