"""When a deployment counts as orphaned: nothing runs it any more, so the sweep brings it to an end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.deploys.models import DeploymentStatus
from shared.deploys.running.steps import Recovery

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from shared.deploys.models import Deployment

STALE_AFTER: Final = timedelta(minutes=10)
"""After this long without a change it is looked at whether anything runs a deployment."""
FOREIGN_AFTER: Final = timedelta(minutes=30)
"""After this long without a change another hub's deployment is taken over. One at work changes its document every few
minutes, and while a service is away at least every 24 (LONG_RETRIES of its activities); should it be alive all the
same, it is fenced off.
"""
FOREIGN_WAITING_AFTER: Final = timedelta(hours=2)
"""As above, of one that waits for a slot, which it may do for an hour and a half without a change."""


def is_foreign(deployment: Deployment, hub: UUID) -> bool:
    """Whether another task hub runs the deployment, whose orchestrations cannot be seen from this one."""
    return deployment.hub not in (None, hub)


def may_recover(deployment: Deployment, hub: UUID, now: datetime) -> bool:
    """Whether this hub may bring the deployment to an end where it sees no orchestration of it: its own at once."""
    if not is_foreign(deployment, hub):
        return True
    waits = deployment.status is DeploymentStatus.QUEUED
    return now - deployment.updated_at >= (FOREIGN_WAITING_AFTER if waits else FOREIGN_AFTER)


def recovery_of(deployment: Deployment, hub: UUID) -> Recovery:
    """What brings the deployment to an end: past the point of no return it is completed, else undone."""
    return Recovery(
        deployment_id=deployment.id,
        organization_id=deployment.organization_id,
        hub=hub,
        settled=deployment.status is DeploymentStatus.UPDATING_DATABASE,
    )


def holds_needlessly(deployment: Deployment | None) -> bool:
    """Whether a slot, or a place in the queue for one, is to be released that the deployment (None: deleted) has."""
    return deployment is None or deployment.status.ended
