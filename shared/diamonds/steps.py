"""What the orchestrators and activities of the diamond workload say to each other. Models only."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID, uuid4

from pydantic import AwareDatetime, Field

from shared.diamonds.models import (
    ERROR_LENGTH,
    FeedName,
    Model,
    Partition,
    PartitionId,
    RunPlan,
    RunStatus,
)

TraceId = Annotated[
    str, Field(max_length=100, pattern=r"^[ -~]+$", description="the caller's own name for this, for its logs and ours")
]


class IngestPartition(Model):
    """One partition of a run, to be read to its end."""

    plan: RunPlan
    partition: Partition


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


class ConsolidateRun(Model):
    """A request to consolidate what a run has ingested; `force` does so in spite of failed partitions.

    `attempt` names the request, so that a repeated delivery of it is told from another request.
    """

    run_id: UUID
    force: bool = False
    trace_id: TraceId | None = None
    attempt: UUID = Field(default_factory=uuid4)


class ConsolidateFeed(Model):
    """A request to consolidate what waits on a feed that no run works on."""

    feed: FeedName


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


class ConsolidationShare(Model):
    """One of several workers that claim a feed's pending rows until none is left; for a run, or without one."""

    run_id: UUID | None
    feed: FeedName
    worker: str = Field(min_length=1, max_length=100)


class WatchFeeds(Model):
    """Look after the feeds; `abandoned` are runs that call themselves running and that nobody works on."""

    abandoned: list[UUID] = Field(default_factory=list[UUID], max_length=100)


class PurgeRows(Model):
    """Work on the purge, from where the walk over the raw rows stands."""

    after: tuple[str, str] | None = None


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


class Nothing(Model):
    """A task or an answer without content."""
