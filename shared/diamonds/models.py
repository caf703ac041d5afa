"""What the floors of the diamond workload say to each other. Prices of ranges are whole US dollars, times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where a full run's update window begins (facts of the system being replaced)."""

NO_END = datetime(2100, 1, 1, tzinfo=UTC)
"""Where a full run's update window ends: it reads what is offered, also what changes while it reads."""
RUN_ENDED = "run-ended"
"""Code of the error that stops whoever works on a run that was cancelled or has ended otherwise."""
ERROR_LENGTH = 500
"""Characters of an error that are kept."""

RunType = Literal["full", "incremental"]
FeedName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="name of the supplier's feed")]
PartitionId = Annotated[str, Field(pattern=r"^p[0-9]{3}$")]


class Model(BaseModel):
    """Immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RunStatus(StrEnum):
    """What a run came to. `held`: ingested, but too many partitions failed to consolidate by itself."""

    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    HELD = "held"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PriceRange(Model):
    """Prices in [minimum, maximum), whole dollars. Sent to suppliers as [minimum, maximum - 1], both ends included."""

    minimum: int = Field(ge=0)
    maximum: int = Field(gt=0)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.minimum >= self.maximum:
            message = f"the range [{self.minimum}, {self.maximum}) is empty"
            raise ValueError(message)
        return self


class Bucket(Model):
    """How many diamonds the supplier counts in a range."""

    prices: PriceRange
    count: int = Field(ge=0)


class Window(Model):
    """Diamonds whose last change at the supplier lies in [since, until], both ends included."""

    since: AwareDatetime
    until: AwareDatetime


class StartRun(Model):
    """A request to read the feed: everything, or what changed since the watermark."""

    run_id: UUID
    feed: FeedName = "nivoda"
    run_type: RunType = "incremental"
    abandoned: UUID | None = Field(
        default=None, description="the feed's run that nobody works on any more; it is ended"
    )


class RunPlan(Model):
    """A claimed run: the only one on its feed until it is finished."""

    run_id: UUID
    feed: FeedName
    run_type: RunType
    window: Window
    started_at: AwareDatetime = Field(description="the watermark will stand here, less the overlap")
    watermark_before: AwareDatetime | None
    max_records: int = Field(ge=0, description="cap on the diamonds of this run; 0: none")


class Partition(Model):
    """One worker's share of a run: a price range that no other partition of the run touches."""

    partition_id: PartitionId
    prices: PriceRange
    expected: int = Field(ge=0, description="diamonds counted when the heatmap was drawn")


class Partitions(Model):
    """The shares of a run; together they cover the whole price range of the feed exactly once."""

    total: int = Field(ge=0)
    partitions: list[Partition]
    counts_asked: int = Field(ge=0, description="count queries it took")


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
    sweep: int = 0
    completed: bool = False
    records: int = 0


class PartitionStatus(StrEnum):
    """How far one partition is."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class PartitionProgress(Model):
    """One partition of a run as stored, for the console and for alerts."""

    partition_id: PartitionId
    prices: PriceRange
    expected: int = Field(
        ge=0, description="diamonds the supplier counts: when the last sweep ended, else at the start"
    )
    records: int = Field(ge=0, description="different diamonds seen so far")
    status: PartitionStatus
    next_offset: int = Field(ge=0)
    sweep: int = Field(ge=0, description="passes over the partition before the current one")
    updated_at: AwareDatetime
    error: str | None = None


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


class RunSummary(Model):
    """What a run came to, as stored, shown and mailed. All counts are of different diamonds."""

    run_id: UUID
    feed: FeedName
    run_type: RunType
    status: RunStatus
    expected: int = Field(default=0, description="diamonds the supplier counted in the window")
    ingested: int = Field(default=0, description="diamonds seen in this run")
    consolidated: int = Field(default=0, description="of those: mapped and priced")
    failed: int = Field(default=0, description="of those: marked failed with a reason")
    pending: int = Field(default=0, description="of those: not consolidated yet")
    partitions: int = 0
    partitions_failed: int = 0
    offered: int | None = Field(default=None, description="diamonds of the feed before a complete full run deleted any")
    missing: int | None = Field(default=None, description="of those: not seen by the run")
    deleted: int | None = Field(default=None, description="of those: marked deleted by it")
    error_code: str | None = None
    error: str | None = Field(default=None, description="why the run failed, or what it left undone")
    trace_id: str | None = Field(default=None, description="trace of the last request to consolidate the run")
    watermark_after: AwareDatetime | None = None
    started_at: AwareDatetime
    completed_at: AwareDatetime | None = None


class MissingDiamonds(Model):
    """What a full run says about the diamonds that it did not see."""

    active: int = Field(ge=0, description="diamonds of the feed offered before")
    missing: int = Field(ge=0, description="of those: not seen by the run")
    deleted: bool = Field(description="they were marked deleted; false: more than the allowed share, nothing was done")


@dataclass(frozen=True, slots=True)
class Stone:
    """One diamond as a supplier sent it: its keys, and everything else untouched."""

    supplier_stone_id: str
    offer_id: str
    source_updated_at: datetime | None
    payload: dict[str, Any]
