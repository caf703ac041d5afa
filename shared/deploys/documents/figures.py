"""How many deployments stand where, and how they go."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import Field

from shared.deploys.documents import store
from shared.deploys.documents.store import DEPLOYMENTS, STATES_ENDED
from shared.deploys.models import DeploymentStatus
from shared.platform.health import StatusField
from shared.platform.models import LazyModel
from shared.platform.stores.cosmos import has_cosmos
from shared.platform.stores.paging import each

DAY: Final = timedelta(days=1)
COUNTED: Final = 1_000
"""Deployments in one answer of the database."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a deployment ended, and how many seconds it was at work."""

    status: DeploymentStatus
    seconds: float

    @classmethod
    def of(cls, written: dict[str, Any]) -> Ending:
        """Of a state document; one that never began was at work for no time."""
        ended = datetime.fromisoformat(written["completedAt"])
        began = datetime.fromisoformat(written["startedAt"]) if written["startedAt"] else ended
        return cls(DeploymentStatus(written["status"]), (ended - began).total_seconds())


class LastDay(LazyModel):
    """Deployments that ended within 24 hours."""

    ended: int
    completed: int
    failed: int
    cancelled: int
    success_rate: float | None = Field(description="Of those that completed or failed, 0 to 1; null: there are none")
    mean_seconds: float | None = Field(description="That those which completed were at work")
    longest_seconds: float | None = Field(description="As above")


class DeploymentFigures(LazyModel):
    """How many deployments stand where, and how the last day went."""

    by_status: dict[str, int]
    last_day: LastDay


async def figures() -> DeploymentFigures | None:
    """The figures; None where no deployment can be: no document database is set up."""
    if not has_cosmos():
        return None
    endings = await ended_since(datetime.now(UTC) - DAY)
    return DeploymentFigures(by_status=await counts(None), last_day=summed(endings))


STATUS = StatusField("deployments", figures)


def summed(ended: list[Ending]) -> LastDay:
    """The figures of these endings."""
    counted = {status: sum(one.status is status for one in ended) for status in DeploymentStatus}
    completed, failed = counted[DeploymentStatus.COMPLETED], counted[DeploymentStatus.FAILED]
    seconds = [one.seconds for one in ended if one.status is DeploymentStatus.COMPLETED]
    return LastDay(
        ended=len(ended),
        completed=completed,
        failed=failed,
        cancelled=counted[DeploymentStatus.CANCELLED],
        success_rate=round(completed / (completed + failed), 3) if completed + failed else None,
        mean_seconds=round(sum(seconds) / len(seconds), 1) if seconds else None,
        longest_seconds=round(max(seconds), 1) if seconds else None,
    )


async def counts(organization: str | None) -> dict[str, int]:
    """How many deployments of the organization, or (None) of all, have which status; those that none has are left out.

    They are counted here: GROUP BY is not supported by the Python SDK (its README, "Limitations"), and the
    service groups each page of its answer by itself. Retention bounds how many there are.
    """
    counter = Counter(
        [one["status"] for one in await _all("SELECT c.status FROM c WHERE c.type = 'deployment'", {}, organization)]
    )
    return {status: counter[status] for status in DeploymentStatus if counter[status]}


async def ended_since(moment: datetime) -> list[Ending]:
    """How each deployment ended that did so since then."""
    query = "SELECT c.status, c.startedAt, c.completedAt FROM c WHERE c.type = 'deployment'"
    rows = await _all(
        f"{query} AND c.status IN ({STATES_ENDED}) AND c.completedAt >= @moment",
        {"moment": store.text_of(moment)},
        None,
    )
    return [Ending.of(one) for one in rows]


async def _all(query: str, values: dict[str, Any], organization: str | None) -> list[dict[str, Any]]:
    async def read(at: str | None) -> tuple[list[dict[str, Any]], str | None]:
        page = await DEPLOYMENTS.query(query, values, partition=organization, limit=COUNTED, continuation=at)
        return page.documents, page.continuation

    return [one async for one in each(read)]
