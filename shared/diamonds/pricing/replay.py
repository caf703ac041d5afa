"""May rows that are tried again be consolidated at once? They are judged here, as a run's rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shared.diamonds.pricing import consolidation
from shared.diamonds.pricing.failed_rows import fail_contradicting
from shared.diamonds.pricing.review import review
from shared.diamonds.runs import reports
from shared.diamonds.runs.models import RunStatus
from shared.diamonds.runs.verdict import objections

if TYPE_CHECKING:
    from shared.diamonds.ingestion.mapping import Mapping, PriceUnit
    from shared.diamonds.models import FeedName
    from shared.diamonds.runs.verdict import Limits

FAILS_AGAIN = {"rows-failed", "prices-contradict"}
"""Objections to rows that change nothing when they fail once more."""
MOST_ROWS = 20_000
"""That are judged while a caller waits; of more, the next run judges them."""


PricedWhen = Literal["now", "in-the-run-at-work", "in-the-next-run", "nothing-waits"]


async def when_priced(feed: FeedName, mapping: Mapping, price_unit: PriceUnit, limits: Limits) -> PricedWhen:
    """When the rows that wait in the feed are priced. At once only if the feed's last run was consolidated.

    A run at work takes them along. After one that failed or is held the next one judges them: none must be forced.
    """
    if not await consolidation.pending_rows(feed):
        return "nothing-waits"
    last = (await reports.last_statuses()).get(feed)
    if last is RunStatus.RUNNING:
        return "in-the-run-at-work"
    if last not in (RunStatus.COMPLETED, RunStatus.PARTIAL):
        return "in-the-next-run"
    if not await may_be_priced(feed, mapping, price_unit, limits):
        return "in-the-next-run"
    return "now" if await consolidation.pending_rows(feed) else "nothing-waits"


async def may_be_priced(feed: FeedName, mapping: Mapping, price_unit: PriceUnit, limits: Limits) -> bool:
    """Whether what waits in the feed may be priced without a run: few rows, and no objection to them.

    Prices that lie outside the range by which they were asked for fail again. Over the limits the rows are left for the
    next run, which is then held.
    """
    if await consolidation.pending_rows(feed) > MOST_ROWS:
        return False
    change, odd = await review(None, feed, mapping, price_unit, listed=0, missing=None)
    if any(one.code not in FAILS_AGAIN for one in objections(change, limits)):
        return False
    await fail_contradicting(feed, None, odd)
    return True
