"""One side effect each of the feeds' upkeep; every one may be repeated."""

from __future__ import annotations

import logging
from datetime import timedelta

from shared.diamonds import consolidation, purge, watch
from shared.diamonds.purge import Purged
from shared.diamonds.steps import Nothing, PurgeRows
from shared.diamonds.suppliers import nightly_feeds
from shared.platform.durable import activity
from shared.platform.settings import settings

STALE_CLAIM = timedelta(minutes=30)
PURGE_SECONDS = 60

logger = logging.getLogger(__name__)


@activity
async def recover_claims(_: Nothing) -> Nothing:
    """Let rows be consolidated again that a worker claimed and never finished."""
    if recovered := await consolidation.recover_claims(STALE_CLAIM):
        logger.warning("Stale claims were set free.", extra={"rows": recovered})
    return Nothing()


@activity
async def watch_watermarks(_: Nothing) -> Nothing:
    """Tell people of each nightly feed that has not been read to its end for too long, once a day."""
    await watch.watermarks(nightly_feeds(), timedelta(hours=settings().watermark_age_hours))
    return Nothing()


@activity
async def watch_queues(_: Nothing) -> Nothing:
    """Tell people of each queue that holds dead letters, once a day."""
    await watch.dead_letters()
    return Nothing()


@activity
async def purge_rows(task: PurgeRows) -> Purged:
    """Delete raw rows and details of runs that are kept no longer, for one time box."""
    purged = await purge.purge(
        timedelta(days=settings().raw_retention_days),
        timedelta(days=settings().run_retention_days),
        PURGE_SECONDS,
        after=task.after,
    )
    logger.info("Old rows were purged.", extra=purged.model_dump(exclude={"after"}))
    return purged


activities = (recover_claims, watch_watermarks, watch_queues, purge_rows)
