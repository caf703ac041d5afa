"""What a run is: requested, planned, cut into partitions, ended. Prices of ranges are whole US dollars, times are UTC.

The same models are stored, shown by the API, and handed from orchestrators to activities and back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID, uuid4

from pydantic import AwareDatetime, Field, model_validator

from shared.diamonds.models import ERROR_LENGTH, FeedName, Model

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where a full run's update window begins (facts of the system being replaced)."""


NO_END = datetime(2100, 1, 1, tzinfo=UTC)
"""Where a full run's update window ends: it reads what is offered, also what changes while it reads."""


RUN_ENDED = "run-ended"
"""Code of the error that stops whoever works on a run that was cancelled or has ended otherwise."""
NOTHING_TO_RETRY = "nothing-to-retry"


RunType = Literal["full", "incremental"]


PartitionId = Annotated[str, Field(pattern=r"^p[0-9]{3}$")]


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


PRICES_END = 2**31 - 1
"""Exclusive end of every plan, so that no diamond is too dear to be read; suppliers take 32-bit integers."""
EVERY_PRICE = PriceRange.model_construct(minimum=0, maximum=PRICES_END)


class Window(Model):
    """Diamonds whose last change at the supplier lies in [since, until], both ends included."""

    since: AwareDatetime
    until: AwareDatetime


class StartRun(Model):
    """A request to read the feed: everything, or what changed since the watermark."""

    run_id: UUID
    feed: FeedName = "nivoda"
    run_type: RunType = "incremental"
    abandoned: UUID | None = Field(default=None, description="the feed's orphaned run; it is ended first")
    hub: UUID | None = Field(default=None, description="the task hub that works on the run")


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
    expected: int = Field(ge=0, description="diamonds the supplier counts: when the last pass ended, else at the start")
    records: int = Field(ge=0, description="different diamonds seen so far")
    status: PartitionStatus
    next_offset: int = Field(ge=0)
    sweep: int = Field(ge=0, description="passes over the partition before the current one")
    updated_at: AwareDatetime
    error: str | None = None


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


TraceId = Annotated[
    str, Field(max_length=100, pattern=r"^[ -~]+$", description="the caller's own name for this, for its logs and ours")
]


class PartitionFailed(Model):
    """A partition that could not be read, after all retries."""

    run_id: UUID
    partition_id: PartitionId
    error: str = Field(max_length=ERROR_LENGTH)


class RunRef(Model):
    """A run by its id."""

    run_id: UUID


class EndRun(Model):
    """How a run ends, and how far the feed's watermark was moved by it."""

    run_id: UUID
    status: RunStatus
    watermark_after: AwareDatetime | None = None
    error_code: str | None = None
    error: str | None = Field(default=None, max_length=ERROR_LENGTH, description="why it failed")


class WatermarkMoved(Model):
    """Up to when the feed has now been read."""

    watermark: AwareDatetime


class ConsolidateRun(Model):
    """A request to consolidate what a run has ingested; `force` does so in spite of failed partitions.

    `attempt` names the request, so that a repeated delivery is distinguished from a second request.
    """

    run_id: UUID
    force: bool = False
    trace_id: TraceId | None = None
    attempt: UUID = Field(default_factory=uuid4)


class RetryRun(Model):
    """A request to read failed partitions of a run again: those named, or all. `attempt` as above."""

    run_id: UUID
    partition_ids: list[PartitionId] | None = Field(default=None, min_length=1, max_length=100)
    attempt: UUID = Field(default_factory=uuid4)


class Reopened(Model):
    """A run that goes on, and the partitions to read."""

    plan: RunPlan
    partitions: list[Partition]


class Interruption(Model):
    """Ends a run's wait for retries: to retry, else to look again and go on (it may have been cancelled)."""

    retry: RetryRun | None = None


class WatchFeeds(Model):
    """Upkeep of the feeds; `abandoned` are the orphaned runs: running by their rows, without an orchestration."""

    abandoned: list[UUID] = Field(default_factory=list[UUID], max_length=100)


class PurgeRows(Model):
    """Work on the purge, from where the walk over the raw rows stands."""

    after: tuple[str, str] | None = None


class Purged(Model):
    """How many rows were deleted; call again until `finished`. `after` is where the walk over the raw rows stands."""

    raw: int = 0
    sightings: int = 0
    partitions: int = 0
    after: tuple[str, str] | None = None
    finished: bool = False


class Verdict(Model):
    """May what was ingested be consolidated?

    `go`: at once. `wait`: after a pause in which failed partitions can be retried. `hold`: only if a person forces it.
    """

    decision: Literal["go", "wait", "hold"]
    wait_seconds: int = Field(default=0, ge=0)
    unread: int = Field(default=0, ge=0, description="partitions that were not read to their end")
    partitions: int = Field(default=0, ge=0)
    complete: bool = Field(default=False, description="the run has partitions, and all were read to their end")
    capped: bool = Field(default=False, description="MAX_SCHEDULER_RECORDS left a part of the feed unread")
