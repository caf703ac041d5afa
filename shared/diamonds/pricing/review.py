"""What a run would change, found before it changes anything: the mapping of consolidation, without its writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.diamonds.pricing import statements
from shared.diamonds.pricing.failed_rows import contradicting_rows
from shared.diamonds.runs.changes import RunDifference
from shared.diamonds.runs.difference import withheld
from shared.diamonds.runs.lifecycle import DISCARDED, see_running
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID

    from shared.diamonds.ingestion.mapping import Mapping, PriceUnit
    from shared.diamonds.models import FeedName

BATCH_ROWS = 5_000
WORST_SHOWN = 10

_OFFERED = """
select coalesce(sum(diamonds), 0)::bigint as offered from diamonds.offer_now where feed = %s and status = 'active'
"""

_WAITING = """
select count(*) as waiting from (
    select supplier_stone_id from diamonds.raw_diamonds
    where feed = %(feed)s and consolidation_status = 'pending' and run_id = any(%(withheld)s)
    union all
    select supplier_stone_id from diamonds.raw_diamonds
    where feed = %(feed)s and consolidation_status = 'failed' and failure_reason = %(discarded)s
) w where exists (
    select from diamonds.run_sightings s where s.run_id = %(run_id)s and s.supplier_stone_id = w.supplier_stone_id
)
"""


async def review(
    run_id: UUID | None, feed: FeedName, mapping: Mapping, price_unit: PriceUnit, *, listed: int, missing: int | None
) -> tuple[RunDifference, list[str]]:
    """Read the feed's pending rows, those of withheld runs left out, and count what they would change.

    With it come the ids of the stones whose prices contradict the query that found them. `listed` is how many diamonds
    the run has seen, `missing` how many on offer it has not, None if it does not say.

    Raises:
        Conflict: the run is not running (`run-ended`), for example because it was cancelled.
        DataRefused: PostgreSQL cannot compute with a value.
    """
    statement, of_mapping = statements.review(mapping, price_unit)
    parameters = {
        **of_mapping,
        "feed": feed,
        "run_id": run_id,
        "batch": BATCH_ROWS,
        "withheld": await withheld(feed, run_id),
    }
    counts: dict[str, Any] = {}
    worst: list[dict[str, Any]] = []
    odd: list[str] = []
    after: str | None = ""
    async with database() as connection:
        found = (await rows(connection, _OFFERED, (feed,)))[0]
        found |= (await rows(connection, _WAITING, {**parameters, "discarded": DISCARDED}))[0]
    while after is not None:
        async with database() as connection:
            if run_id:
                await see_running(connection, run_id)
            batch = (await rows(connection, statement, {**parameters, "after": after}, prepare=False))[0]
        after = batch.pop("last")
        odd += batch.pop("odd") or ()
        worst = sorted([*worst, *batch.pop("worst")], key=lambda one: -one["factor"])[:WORST_SHOWN]
        counts = {name: counts.get(name, 0) + value for name, value in batch.items()}
    failed_before = await contradicting_rows(feed, run_id) if run_id else 0
    for name in ("rows", "contradicting"):
        counts[name] += failed_before
    return RunDifference.model_validate({**counts, **found, "worst": worst, "listed": listed, "gone": missing}), odd
