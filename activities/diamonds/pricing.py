"""Consolidation and re-pricing, a time box each; every one may be repeated."""

from __future__ import annotations

from shared.diamonds.ingestion.suppliers import mapping, price_unit
from shared.diamonds.pricing import consolidation, repricing
from shared.diamonds.pricing.models import (
    ConsolidateRows,
    ConsolidationShare,
    EndRepricing,
    RepriceFeed,
    Repricing,
    RepricingRef,
    RowsConsolidated,
)
from shared.diamonds.reporting import alerts
from shared.diamonds.settings import settings
from shared.platform.alerting.alerts import try_to_send
from shared.platform.durable import activity


@activity
async def consolidate_rows(share: ConsolidationShare) -> RowsConsolidated:
    """Claim, map and price pending rows for one time box."""
    task = ConsolidateRows(run_id=share.run_id, feed=share.feed, worker=share.worker, seconds=settings().ingest_seconds)
    return await consolidation.consolidate(task, mapping(share.feed), price_unit(share.feed))


@activity
async def begin_repricing(request: RepriceFeed) -> Repricing:
    """Claim the feed for this re-pricing, and note the rules that it applies."""
    return await repricing.begin(request)


@activity
async def reprice_batches(task: RepricingRef) -> Repricing:
    """Give diamonds the prices of the rules from the mark on, for one time box."""
    return await repricing.reprice(task.repricing_id, settings().ingest_seconds)


@activity
async def give_up_repricing(end: EndRepricing) -> Repricing:
    """Write down why it failed, and alert people."""
    failed = await repricing.fail(end.repricing_id, end.error)
    await try_to_send(alerts.repricing_failed(failed))
    return failed
