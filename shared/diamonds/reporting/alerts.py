"""The mails of the diamond workload: what happened to a feed, and what its reader can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.diamonds.runs.missing import DELETION_STOPPED
from shared.diamonds.runs.models import RunStatus
from shared.diamonds.settings import settings
from shared.platform.alerting.alerts import Alert, AlertKind, send_once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.diamonds.models import FeedName
    from shared.diamonds.pricing.models import Repricing
    from shared.diamonds.runs.models import PartitionProgress, RunPlan, RunSummary
    from shared.platform.alerting.mail import Mailer

FAILURES_SHOWN = 20


PARTITIONS_FAILED = AlertKind(
    "partitions-failed",
    "Some partitions could not be read; the rest is consolidated. Read them again with retry-workers.",
)
CONSOLIDATION_HELD = AlertKind(
    "consolidation-held",
    "Too many partitions failed, so nothing is consolidated. Read them again, or force the consolidation.",
)
RUN_HELD = AlertKind(
    "run-held",
    "What a run would change is out of the ordinary, so nothing was changed. Release the run, or discard it.",
)
RUN_FAILED = AlertKind(
    "run-failed",
    "A run ended in an error. Mend the cause it names, then consolidate what was read or start another run.",
)
REPRICING_FAILED = AlertKind(
    "repricing-failed",
    "A re-pricing stopped half-way. Start it again: it changes only what is left.",
)
WATERMARK_AGE = AlertKind(
    "watermark-age",
    "No run of a feed has completed for too long. See how its last runs ended, and start one.",
)
DIAMONDS_WITHOUT_PRICE = AlertKind(
    "diamonds-without-price",
    "The supplier counts diamonds that are in no price range. Ask the supplier for their prices.",
)
DELETION = AlertKind(
    DELETION_STOPPED,
    "So much was missing from a full run that nothing was deleted. Ask the supplier whether it is gone.",
)
ORDER_UNKNOWN = AlertKind(
    "order-unknown",
    "A diamond was sold, and whether its supplier took our order is not known. Look there, then settle it.",
)
KINDS = (
    PARTITIONS_FAILED,
    CONSOLIDATION_HELD,
    RUN_HELD,
    RUN_FAILED,
    REPRICING_FAILED,
    WATERMARK_AGE,
    DIAMONDS_WITHOUT_PRICE,
    DELETION,
    ORDER_UNKNOWN,
)


async def announce(run: RunSummary, failures: Sequence[PartitionProgress], via: Mailer | None = None) -> None:
    """Mail what about this run needs a person, if anything; see `send_once`."""
    if run.status is RunStatus.HELD and run.error_code:
        await send_once(run_held(run), via)
    elif run.status is RunStatus.HELD:
        await send_once(consolidation_held(run, failures), via)
    elif run.status is RunStatus.FAILED:
        await send_once(run_failed(run), via)
    elif run.error_code == DELETION_STOPPED:
        await send_once(deletion_stopped(run), via)
    elif failures:
        await send_once(partitions_failed(run, failures), via)


def partitions_failed(run: RunSummary, failures: Sequence[PartitionProgress]) -> Alert:
    """Some partitions could not be read after all their retries; the rest is consolidated."""
    return PARTITIONS_FAILED.about(
        f"{run.feed}/{run.run_id}",
        subject=f"[Manifold] {run.feed}: {_share(run, failures)}",
        text=(
            f"{_facts(run, failures)}\n"
            "What was read is being consolidated. The watermark stays where it was, so that the next run reads the "
            "missing diamonds again.\n\n"
            f"To read them now:\n{_retry(run)}"
        ),
    )


def consolidation_held(run: RunSummary, failures: Sequence[PartitionProgress]) -> Alert:
    """Too many partitions failed: nothing is consolidated until a person decides."""
    return CONSOLIDATION_HELD.about(
        f"{run.feed}/{run.run_id}",
        subject=f"[Manifold] {run.feed}: consolidation is held, {_share(run, failures)}",
        text=(
            f"{_facts(run, failures)}\n"
            f"Consolidation starts by itself only if {settings().partial_share:.0%} of the partitions were read. "
            "No diamond and no price has changed, and the watermark stays where it was.\n\n"
            f"To read the failed partitions again:\n{_retry(run)}\n"
            "To consolidate what was read:\n"
            f'    POST /api/v2/triggers/consolidate {{"run_id": "{run.run_id}", "force": true}}\n'
        ),
    )


def run_held(run: RunSummary) -> Alert:
    """What the run would change is out of the ordinary: nothing is changed until a person releases or discards it."""
    return RUN_HELD.about(
        f"{run.feed}/{run.run_id}",
        subject=f"[Manifold] {run.feed}: the run is held, nothing was changed",
        text=(
            f"Run {run.run_id} ({run.run_type}) of the feed {run.feed}, started {run.started_at:%Y-%m-%d %H:%M} UTC, "
            f"has read {run.ingested:,} diamonds, and is held before it changes any:\n\n"
            f"    {run.error or 'no reason was recorded'} ({run.error_code})\n\n"
            "No diamond and no price has changed, and the watermark stays where it was. What the run would change:\n"
            f"    GET /api/v2/analytics/runs/{run.run_id}\n\n"
            "To release it, if that is right:\n"
            f'    POST /api/v2/triggers/consolidate {{"run_id": "{run.run_id}", "force": true}}\n'
            "To discard it, if the supplier sent something wrong:\n"
            f'    POST /api/v2/triggers/cancel {{"run_id": "{run.run_id}"}}\n'
        ),
    )


def run_failed(run: RunSummary) -> Alert:
    """The run ended in an error; what it stored is kept."""
    return RUN_FAILED.about(
        f"{run.feed}/{run.run_id}",
        subject=f"[Manifold] {run.feed}: the run failed",
        text=(
            f"Run {run.run_id} ({run.run_type}) of the feed {run.feed}, started {run.started_at:%Y-%m-%d %H:%M} UTC, "
            f"has failed:\n\n    {run.error or 'no reason was recorded'} ({run.error_code or 'unknown'})\n\n"
            "The watermark stays where it was. What was read is kept.\n\n"
            "Once the cause is gone, to consolidate what was read:\n"
            f'    POST /api/v2/triggers/consolidate {{"run_id": "{run.run_id}", "force": true}}\n'
            "or to read the feed again:\n"
            f'    POST /api/v2/triggers/scheduler {{"feed": "{run.feed}", "run_type": "{run.run_type}"}}\n'
        ),
    )


def repricing_failed(repricing: Repricing) -> Alert:
    """Some diamonds have the prices of today's rules, the others still those of before."""
    return REPRICING_FAILED.about(
        repricing.feed,
        subject=f"[Manifold] {repricing.feed}: the re-pricing failed",
        text=(
            f"Re-pricing {repricing.repricing_id} of the feed {repricing.feed}, started "
            f"{repricing.started_at:%Y-%m-%d %H:%M} UTC, has failed after {repricing.looked_at:,} of "
            f"{repricing.total:,} diamonds:\n\n    {repricing.error or 'no reason was recorded'}\n\n"
            "Those have the prices of the rules, the others still have theirs. To begin again, which changes only "
            "what is left:\n"
            f'    POST /api/v2/triggers/reprice {{"feed": "{repricing.feed}"}}\n'
        ),
    )


def deletion_stopped(run: RunSummary) -> Alert:
    """So much was missing from a complete run that a fault at the supplier is likelier than its being sold."""
    return DELETION.about(
        f"{run.feed}/{run.run_id}",
        subject=f"[Manifold] {run.feed}: {run.missing or 0:,} diamonds are missing, none was deleted",
        text=(
            f"Run {run.run_id} of the feed {run.feed} has read everything that the supplier offers.\n"
            f"{run.error or ''}\n\n"
            "All of them are still on offer in the shop. Ask the supplier whether they are gone. If they are, raise "
            "DELETE_SHARE_LIMIT for one full run:\n"
            f'    POST /api/v2/triggers/scheduler {{"feed": "{run.feed}", "run_type": "full"}}\n'
        ),
    )


def watermark_stands_still(feed: FeedName, reached: datetime, *, known: bool) -> Alert:
    """No run of the feed has completed for too long; `known` is whether one ever did."""
    state = "has been read up to" if known else "has never been read to its end. Its first run was started at"
    return WATERMARK_AGE.about(
        feed,
        subject=f"[Manifold] {feed}: the watermark stands still",
        text=(
            f"The feed {feed} {state} {reached:%Y-%m-%d %H:%M} UTC.\n\n"
            f"To see how its last runs ended:\n    GET /api/v2/analytics/runs?feed={feed}\n"
            "To start one:\n"
            f'    POST /api/v2/triggers/scheduler {{"feed": "{feed}", "run_type": "incremental"}}\n'
        ),
    )


def diamonds_without_price(run: RunPlan, count: int) -> Alert:
    """The supplier counts diamonds that are in no price range, so that no partition can hold them."""
    return DIAMONDS_WITHOUT_PRICE.about(
        run.feed,
        subject=f"[Manifold] {run.feed}: {count:,} diamonds are in no price range",
        text=(
            f"Run {run.run_id} ({run.run_type}) of the feed {run.feed} reads by price ranges. The supplier counts "
            f"{count:,} diamonds more in all than in the range of all prices.\n\n"
            "They have no price, or one below zero, and cannot be sold. All others are read. Ask the supplier for the "
            "prices; the next full run reads these diamonds once they have one.\n"
        ),
    )


def order_unknown(purchase_id: int, number: str) -> Alert:
    """The supplier's answer to an order was lost; nobody sends it again."""
    return ORDER_UNKNOWN.about(
        f"purchase-{purchase_id}",
        subject=f"[Manifold] Order {number} is unknown",
        text=(
            f"A diamond was sold as purchase {purchase_id}. Its supplier was sent our order {number}, and the answer "
            "was lost: it may have taken the order or not. It is not sent again.\n\n"
            f"Look for {number} among the orders at the supplier. If it is there, with the supplier's id of it:\n"
            f'    POST /api/v2/triggers/resolve-order {{"purchase_id": {purchase_id}, "order_id": "..."}}\n'
            "If it is not, which undoes the sale:\n"
            f'    POST /api/v2/triggers/resolve-order {{"purchase_id": {purchase_id}, "order_id": null}}\n'
        ),
    )


def _share(run: RunSummary, failures: Sequence[PartitionProgress]) -> str:
    return f"{len(failures)} of {run.partitions} partitions failed"


def _facts(run: RunSummary, failures: Sequence[PartitionProgress]) -> str:
    lines = [
        f"    {failure.partition_id}: {failure.error or 'no reason was recorded'}\n"
        for failure in failures[:FAILURES_SHOWN]
    ]
    if hidden := len(failures) - len(lines):
        lines.append(f"    and {hidden} more\n")
    return (
        f"Run {run.run_id} ({run.run_type}) of the feed {run.feed}, started {run.started_at:%Y-%m-%d %H:%M} UTC, has "
        f"read {run.ingested:,} of {run.expected:,} diamonds. {_share(run, failures)}:\n\n{''.join(lines)}"
    )


def _retry(run: RunSummary) -> str:
    return f'    POST /api/v2/triggers/retry-workers {{"run_id": "{run.run_id}"}}\n'
