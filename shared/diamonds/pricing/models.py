"""Requests for consolidation and re-pricing, and how far they are."""

from __future__ import annotations

from typing import Literal
from uuid import UUID, uuid4

from pydantic import AwareDatetime, Field

from shared.diamonds.models import ERROR_LENGTH, FeedName, Model


class ConsolidateRows(Model):
    """Claim, map and price a feed's pending rows for at most `seconds`; those of a run only while it is running."""

    run_id: UUID | None
    feed: FeedName
    worker: str = Field(min_length=1, max_length=100, description="who claims, for claimed_by")
    seconds: float = Field(gt=0)


class RowsConsolidated(Model):
    """What one time box of consolidation did."""

    done: int = Field(ge=0)
    failed: int = Field(ge=0)
    finished: bool = Field(description="no pending row was left to claim")


class ConsolidateFeed(Model):
    """A request to consolidate what waits on a feed that no run works on."""

    feed: FeedName


class ConsolidationShare(Model):
    """One of several workers that claim a feed's pending rows until none is left; for a run, or without one."""

    run_id: UUID | None
    feed: FeedName
    worker: str = Field(min_length=1, max_length=100)


class RepriceFeed(Model):
    """A request to give a feed's diamonds the prices of today's rules."""

    repricing_id: UUID = Field(default_factory=uuid4)
    feed: FeedName = "nivoda"


class Repricing(Model):
    """A re-pricing as it stands. `looked_at` of `total` diamonds have the price of the rules of `rules_version`."""

    repricing_id: UUID
    feed: FeedName
    status: Literal["running", "completed", "failed", "superseded"]
    rules_version: int
    restarts: int = Field(ge=0, description="how often the rules changed meanwhile, so that it began again")
    total: int = Field(ge=0, description="diamonds on offer when it began")
    looked_at: int = Field(ge=0)
    changed: int = Field(ge=0, description="diamonds whose price, ratio or rating it changed")
    value_change: float = Field(description="of the retail prices, US dollars")
    error: str | None = None
    started_at: AwareDatetime
    completed_at: AwareDatetime | None = None


class RepricingRef(Model):
    """A re-pricing by its id."""

    repricing_id: UUID


class EndRepricing(Model):
    """A re-pricing that is given up, and why."""

    repricing_id: UUID
    error: str = Field(max_length=ERROR_LENGTH)
