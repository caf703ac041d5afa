"""Who decides what becomes of a run: pure rules over what its rows say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from shared.diamonds.models import Model
from shared.diamonds.runs.models import PRICES_END, PartitionProgress, PartitionStatus


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


def judge(partitions: Sequence[PartitionProgress], partial_share: float, wait_seconds: int) -> Verdict:
    """May the run be consolidated, now that reading has ended?

    At once when every partition was read to its end; after `wait_seconds`, in which the others can be retried, when at
    least `partial_share` of them were; else, or without partitions, only if a person forces it.
    """
    total = len(partitions)
    unread = sum(one.status is not PartitionStatus.COMPLETED for one in partitions)
    enough = total and total - unread >= partial_share * total
    decision = "hold" if not enough else "wait" if unread else "go"
    return Verdict(
        decision=decision,
        wait_seconds=wait_seconds if decision == "wait" else 0,
        unread=unread,
        partitions=total,
        complete=decision == "go",
        capped=total > 0 and partitions[-1].prices.maximum < PRICES_END,
    )
