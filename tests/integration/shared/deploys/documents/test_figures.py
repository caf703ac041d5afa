"""How many deployments stand where, and how the last day went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.deploys.documents import figures, store
from shared.deploys.models import DeploymentStatus


async def test_how_many_stand_where(new, monkeypatch) -> None:
    monkeypatch.setattr(figures, "COUNTED", 2)  # so that the answer has more than one page
    for status in (DeploymentStatus.QUEUED, DeploymentStatus.QUEUED, DeploymentStatus.FAILED):
        await store.create(new(status=status))
    organization = new().organization_id
    assert await figures.counts(organization) == {"queued": 2, "failed": 1}
    page = await store.of_organization(organization, limit=9, status=DeploymentStatus.FAILED)
    assert [one.status for one in page.deployments] == [DeploymentStatus.FAILED]


async def test_what_ended_within_a_day_is_summed_up(new) -> None:
    now = datetime.now(UTC)
    before = await figures.figures()
    assert before is not None
    for status, seconds in (("completed", 10), ("completed", 30), ("failed", 5), ("cancelled", 1)):
        began = now - timedelta(seconds=seconds)
        await store.create(new(status=DeploymentStatus(status), started_at=began, completed_at=now))
    old = now - timedelta(days=2)
    await store.create(new(status=DeploymentStatus.COMPLETED, started_at=old, completed_at=old))
    await store.create(new(status=DeploymentStatus.CANCELLED, completed_at=now))  # before it began
    after = await figures.figures()
    assert after is not None
    known, day = before.last_day, after.last_day
    assert (day.ended - known.ended, day.completed - known.completed, day.failed - known.failed) == (5, 2, 1)
    assert (day.cancelled - known.cancelled, after.by_status["cancelled"] - before.by_status.get("cancelled", 0)) == (
        2,
        2,
    )


def test_the_figures_of_a_day_are_those_of_its_deployments() -> None:
    ended = [("completed", 10.0), ("completed", 30.04), ("completed", 2), ("failed", 500), ("cancelled", 1)]
    day = figures.summed([figures.Ending(DeploymentStatus(status), seconds) for status, seconds in ended])
    assert (day.ended, day.completed, day.failed, day.cancelled) == (5, 3, 1, 1)
    assert (day.success_rate, day.mean_seconds, day.longest_seconds) == (0.75, 14.0, 30.0)
    none = figures.summed([])
    assert (none.ended, none.success_rate, none.mean_seconds, none.longest_seconds) == (0, None, None, None)
