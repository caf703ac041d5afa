"""What people are told by mail when the feed needs them: one mail per cause and day."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.diamonds.models import RunStatus
from shared.diamonds.runs.missing import DELETION_STOPPED
from shared.platform.errors import ManifoldError
from shared.platform.mail import Mail, Mailer, mailer
from shared.platform.postgres import database
from shared.platform.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from shared.diamonds.models import FeedName, PartitionProgress, RunPlan, RunSummary
    from shared.diamonds.steps import Repricing

STALE_CLAIM_MINUTES = 10
"""After this long a claim belongs to a process that died; one attempt to send takes a minute at most."""
FAILURES_SHOWN = 20

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to people.

    Attributes:
        cause: what it is about, the same every time it happens: `nivoda/partitions-failed`.
    """

    cause: str
    subject: str
    text: str


async def announce(run: RunSummary, failures: Sequence[PartitionProgress], via: Mailer | None = None) -> None:
    """Mail what about this run needs a person, if anything; see `send_once`."""
    if run.status is RunStatus.HELD:
        await send_once(consolidation_held(run, failures), via)
    elif run.status is RunStatus.FAILED:
        await send_once(run_failed(run), via)
    elif run.error_code == DELETION_STOPPED:
        await send_once(deletion_stopped(run), via)
    elif failures:
        await send_once(partitions_failed(run, failures), via)


def partitions_failed(run: RunSummary, failures: Sequence[PartitionProgress]) -> Alert:
    """Some partitions could not be read after all their retries; the rest is consolidated."""
    return Alert(
        cause=f"{run.feed}/partitions-failed",
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
    return Alert(
        cause=f"{run.feed}/consolidation-held",
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


def run_failed(run: RunSummary) -> Alert:
    """The run ended in an error; what it stored is kept."""
    return Alert(
        cause=f"{run.feed}/run-failed",
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
    return Alert(
        cause=f"{repricing.feed}/repricing-failed",
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
    return Alert(
        cause=f"{run.feed}/{DELETION_STOPPED}",
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
    return Alert(
        cause=f"{feed}/watermark-age",
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
    return Alert(
        cause=f"{run.feed}/diamonds-without-price",
        subject=f"[Manifold] {run.feed}: {count:,} diamonds are in no price range",
        text=(
            f"Run {run.run_id} ({run.run_type}) of the feed {run.feed} reads by price ranges. The supplier counts "
            f"{count:,} diamonds more in all than in the range of all prices.\n\n"
            "They have no price, or one below zero, and cannot be sold. All others are read. Ask the supplier for the "
            "prices; the next full run reads these diamonds once they have one.\n"
        ),
    )


def dead_letters_found(queue: str, count: int, *, exact: bool = True) -> Alert:
    """Messages were delivered as often as the queue allows and never taken."""
    many = "one dead letter" if exact and count == 1 else f"{'' if exact else 'more than '}{count:,} dead letters"
    return Alert(
        cause=f"queue/{queue}/dead-letters",
        subject=f"[Manifold] {queue}: {many}",
        text=(
            f"The queue {queue} holds {many}: messages that could not be worked on.\n\n"
            f"To read them:\n    GET /ops/queues/{queue}/dead-letters\n"
            "To put them back into the queue once the cause is gone:\n"
            f'    POST /ops/queues/{queue}/dead-letters/resubmit {{"all": true}}\n'
        ),
    )


def _share(run: RunSummary, failures: Sequence[PartitionProgress]) -> str:
    return f"{len(failures)} of {run.partitions} partitions failed"


def _facts(run: RunSummary, failures: Sequence[PartitionProgress]) -> str:
    shown = [
        f"    {failure.partition_id}: {failure.error or 'no reason was recorded'}\n"
        for failure in failures[:FAILURES_SHOWN]
    ]
    if hidden := len(failures) - len(shown):
        shown.append(f"    and {hidden} more\n")
    return (
        f"Run {run.run_id} ({run.run_type}) of the feed {run.feed}, started {run.started_at:%Y-%m-%d %H:%M} UTC, has "
        f"read {run.ingested:,} of {run.expected:,} diamonds. {_share(run, failures)}:\n\n{''.join(shown)}"
    )


def _retry(run: RunSummary) -> str:
    return f'    POST /api/v2/triggers/retry-workers {{"run_id": "{run.run_id}"}}\n'


async def send_once(alert: Alert, via: Mailer | None = None) -> bool:
    """Mail the alert unless its cause was mailed today (UTC) or somebody is at it; True if this call sent it.

    The cause is claimed before sending and released when sending fails. A process that dies in between holds its claim
    for ten minutes; Resend then recognises the repeated key, over SMTP the mail may come twice.

    Raises:
        TransientError, TerminalError: the provider did not take the mail; the claim is released.
    """
    day = await _claim(alert.cause)
    if day is None:
        log.info("Alert not repeated today", extra={"cause": alert.cause})
        return False
    mail = Mail(
        sender=settings().alert_email_from,
        to=settings().alert_email_to,
        subject=alert.subject,
        text=alert.text,
        key=f"alert/{alert.cause}/{day}",
    )
    try:
        await (via or mailer()).send(mail)
    except Exception:
        await _release(alert.cause, day)
        raise
    await _settle(alert.cause, day)
    log.info("Alert sent", extra={"cause": alert.cause})
    return True


async def try_to_send(alert: Alert) -> None:
    """As `send_once`, for work that must not fail because nobody could be told: the log then has it."""
    try:
        await send_once(alert)
    except ManifoldError:
        log.exception("An alert could not be sent", extra={"cause": alert.cause, "subject": alert.subject})


async def _claim(cause: str) -> date | None:
    async with database() as db:
        row = await (
            await db.execute(
                """
                insert into diamonds.alerts_sent as mine (cause, day, state, claimed_at)
                values (%(cause)s, (now() at time zone 'UTC')::date, 'claimed', now())
                on conflict (cause, day) do update set claimed_at = now()
                    where mine.state = 'claimed' and mine.claimed_at < now() - make_interval(mins => %(stale)s)
                returning day
                """,
                {"cause": cause, "stale": STALE_CLAIM_MINUTES},
            )
        ).fetchone()
    return row[0] if row else None


async def _release(cause: str, day: date) -> None:
    async with database() as db:
        await db.execute(
            "delete from diamonds.alerts_sent where cause = %s and day = %s and state = 'claimed'", (cause, day)
        )


async def _settle(cause: str, day: date) -> None:
    async with database() as db:
        await db.execute(
            "update diamonds.alerts_sent set state = 'sent', sent_at = now() where cause = %s and day = %s",
            (cause, day),
        )
