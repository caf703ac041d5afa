"""What is read of a supplier's feed, and how far the reading is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from shared.diamonds.models import Model
from shared.diamonds.runs.models import Partition, PriceRange, RunPlan


class Bucket(Model):
    """How many diamonds the supplier counts in a range."""

    prices: PriceRange
    count: int = Field(ge=0)


class IngestPages(Model):
    """Work on one partition for at most `seconds`, from wherever its progress mark stands."""

    plan: RunPlan
    partition: Partition
    seconds: float = Field(gt=0)


class PagesIngested(Model):
    """Where a partition stands after one time box."""

    next_offset: int = Field(ge=0)
    records: int = Field(ge=0, description="different diamonds seen in this partition so far in this run")
    changed: int = Field(ge=0, description="of this time box: diamonds that were new or differed from what was stored")
    done: bool


class Mark(Model):
    """A partition's progress as stored: where the next page begins, the pass it belongs to, the diamonds seen so far.

    A supplier that pages by tokens has `next_token`; `next_offset` then counts the rows read in this pass.
    """

    next_offset: int = 0
    next_token: str | None = None
    empty_pages: int = 0
    """Pages of this pass that held no diamond and were not the last."""
    sweep: int = 0
    """Passes before the current one, under the name of its column."""
    completed: bool = False
    records: int = 0


@dataclass(frozen=True, slots=True)
class Stone:
    """One diamond as a supplier sent it: its keys, and everything else untouched."""

    supplier_stone_id: str
    offer_id: str
    source_updated_at: datetime | None
    payload: dict[str, Any]


class IngestPartition(Model):
    """One partition of a run, to be read to its end."""

    plan: RunPlan
    partition: Partition
