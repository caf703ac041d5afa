"""One side effect each of the feeds' upkeep; every one may be repeated."""

from __future__ import annotations

import logging
from datetime import timedelta

from shared.diamonds.ingestion.suppliers import nightly_feeds
from shared.diamonds.offer.trade import orders, supplier_holds
from shared.diamonds.pricing import consolidation, repricing
from shared.diamonds.reporting import alerts, watch
from shared.diamonds.runs import orphans, purge
from shared.diamonds.runs.models import Purged, PurgeRows, WatchFeeds
from shared.diamonds.settings import settings
from shared.platform.alerting.alerts import try_to_send
from shared.platform.durable import Nothing, activity

STALE_CLAIM = timedelta(minutes=30)
STALE_AFTER = timedelta(minutes=30)
"""A re-pricing shows a sign of life with every batch, which takes seconds."""
PURGE_SECONDS = 60

logger = logging.getLogger(__name__)


@activity
async def recover_claims(_: Nothing) -> Nothing:
    """Let rows be consolidated again that a worker claimed and never finished."""
    if recovered := await consolidation.recover_claims(STALE_CLAIM):
        logger.warning("Raw rows whose claims were stale wait for consolidation again.", extra={"rows": recovered})
    return Nothing()


@activity
async def end_lost_runs(task: WatchFeeds) -> Nothing:
    """End orphaned runs, so that their feeds can be read again, and alert people."""
    for run_id in task.abandoned:
        if ended := await orphans.end(run_id):
            logger.warning("An orphaned run was ended as failed.", extra={"run_id": str(run_id)})
            await try_to_send(alerts.run_failed(ended))
    return Nothing()


@activity
async def end_lost_repricings(_: Nothing) -> Nothing:
    """End orphaned re-pricings, and alert people."""
    for ended in await repricing.end_stale(STALE_AFTER):
        logger.warning("An orphaned re-pricing was ended as failed.", extra={"repricing_id": str(ended.repricing_id)})
        await try_to_send(alerts.repricing_failed(ended))
    return Nothing()


@activity
async def watch_watermarks(_: Nothing) -> Nothing:
    """Alert people to each nightly feed that has not been read to its end for too long, once a day."""
    await watch.watermarks(nightly_feeds(), timedelta(hours=settings().watermark_age_hours))
    return Nothing()


@activity
async def settle_trades(_: Nothing) -> Nothing:
    """Give up at suppliers what is held here no more, find out about lost answers, alert people to unknown orders."""
    await supplier_holds.settle()
    await supplier_holds.end_past()
    for purchase_id in await orders.end_stale():
        await try_to_send(alerts.order_unknown(purchase_id, orders.number(purchase_id)))
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
    logger.info("Old raw rows and details of runs were purged.", extra=purged.model_dump(exclude={"after"}))
    return purged
