"""What is forgotten of deployments, one time box after the other."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from shared.deploys.documents import retention
from shared.deploys.running.steps import Purge, Purged
from shared.deploys.settings import settings
from shared.platform.durable import activity

PURGE_SECONDS = 60

logger = logging.getLogger(__name__)


@activity
async def purge_deployments(task: Purge) -> Purged:
    """Forget variables that no retry can need, and delete the documents and logs of old deployments."""
    kept = timedelta(days=settings().deployment_retention_days)
    purged = await retention.purge_deployments(datetime.now(UTC), kept, PURGE_SECONDS, task.cursor)
    logger.info("Ended deployments were purged.", extra=purged.model_dump(exclude={"cursor"}))
    return purged


@activity
async def purge_sources(task: Purge) -> Purged:
    """Delete old sources that nothing names any more."""
    kept = timedelta(days=settings().deployment_retention_days)
    purged = await retention.purge_sources(datetime.now(UTC), kept, PURGE_SECONDS, task.cursor)
    logger.info("Old sources were purged.", extra=purged.model_dump(exclude={"cursor"}))
    return purged
