"""May rows that are tried again be consolidated at once? They are judged here, as a run's rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.diamonds.pricing import consolidation
from shared.diamonds.pricing.failed_rows import fail_contradicting
from shared.diamonds.pricing.review import review
from shared.diamonds.runs.verdict import Limits, objections

if TYPE_CHECKING:
    from shared.diamonds.ingestion.mapping import Mapping, PriceUnit
    from shared.diamonds.models import FeedName

MOST_ROWS = 20_000
"""That are judged while a caller waits; of more, the next run judges them."""


async def may_be_priced(feed: FeedName, mapping: Mapping, price_unit: PriceUnit, jumped: float) -> bool:
    """Whether what waits in the feed may be priced without a run: few rows, and few prices that jump.

    Those that lie outside the range by which they were asked for fail again. `jumped` is the share of prices, of ten or
    more, over which the rows are left for the next run, which is then held.
    """
    if await consolidation.pending_rows(feed) > MOST_ROWS:
        return False
    found, odd = await review(None, feed, mapping, price_unit, listed=0, gone=None)
    # Rows that fail once more change nothing.
    if objections(found, Limits(failed=1, jumped=jumped, deleted=1)):
        return False
    await fail_contradicting(feed, None, odd)
    return True
