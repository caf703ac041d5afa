"""Which deployments the sweep brings to an end, and how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.deploys.documents import orphans
from shared.deploys.models import ArchiveSource, Deployment, DeploymentStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OURS, OTHERS = uuid4(), uuid4()
WORKING, WAITING = DeploymentStatus.DEPLOYING, DeploymentStatus.QUEUED


def deployment(**changes) -> Deployment:
    return Deployment.model_validate(
        {
            "id": "dep_AAAAAAAAAAAA",
            "project_id": "p",
            "user_id": "u",
            "organization_id": "o",
            "project_name": "P",
            "source": ArchiveSource(hash="0" * 64),
            "created_at": NOW,
            "updated_at": NOW,
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("hub", "status", "silent", "expected"),
    [
        (None, WORKING, timedelta(0), True),
        (OURS, WORKING, timedelta(0), True),
        (OURS, WAITING, timedelta(0), True),
        (OTHERS, WORKING, orphans.FOREIGN_AFTER - timedelta(seconds=1), False),
        (OTHERS, WORKING, orphans.FOREIGN_AFTER, True),
        (OTHERS, WAITING, orphans.FOREIGN_AFTER, False),
        (OTHERS, WAITING, orphans.FOREIGN_WAITING_AFTER - timedelta(seconds=1), False),
        (OTHERS, WAITING, orphans.FOREIGN_WAITING_AFTER, True),
    ],
)
def test_another_hubs_deployment_is_left_to_it_until_it_is_silent_for_long(hub, status, silent, expected) -> None:
    stale = deployment(hub=hub, status=status, updated_at=NOW - silent)
    assert orphans.may_recover(stale, OURS, NOW) is expected
    assert orphans.is_foreign(stale, OURS) is (hub == OTHERS)


@pytest.mark.parametrize("status", [one for one in DeploymentStatus if not one.ended])
def test_what_serves_already_is_completed_and_all_else_undone(status: DeploymentStatus) -> None:
    recovery = orphans.recovery_of(deployment(status=status), OURS)
    assert (recovery.deployment_id, recovery.organization_id, recovery.hub) == ("dep_AAAAAAAAAAAA", "o", OURS)
    assert recovery.settled is (status is DeploymentStatus.UPDATING_DATABASE)


@pytest.mark.parametrize("status", [None, *DeploymentStatus])
def test_only_what_has_not_ended_keeps_its_slot(status: DeploymentStatus | None) -> None:
    kept = deployment(status=status) if status else None
    assert orphans.holds_needlessly(kept) is (status is None or status.ended)
