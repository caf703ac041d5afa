"""Raw rows that could not be mapped: which they are and why, and another try for them.

A row fails for what is in it, so it is not tried again by itself until the supplier changes it, or we change how it is
read: the mapping, the price unit, the statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.diamonds.models import Model
from shared.diamonds.runs.lifecycle import DISCARDED, see_running
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.diamonds.models import FeedName

BATCH_ROWS = 10_000
CONTRADICTING = "price: outside the range that it was asked by"


class FailedRow(Model):
    """A diamond that was read and could not be priced."""

    supplier_stone_id: str
    reason: str = Field(description="the fields that are wrong, and what they hold")
    run_id: UUID = Field(description="the run that brought it as it is")
    failed_at: AwareDatetime


# Sorted as a merge sorts them, so that the two never wait for each other in a circle.
_REQUEUE = """
with failed as (
    select supplier_stone_id from diamonds.raw_diamonds
    where feed = %(feed)s and consolidation_status = 'failed' and supplier_stone_id > %(after)s
        and failure_reason <> all(%(but)s)
    order by supplier_stone_id limit %(rows)s for update
), again as (
    update diamonds.raw_diamonds r
    set consolidation_status = 'pending', failure_reason = null, claimed_at = null, claimed_by = null,
        updated_at = now()
    from failed f where r.feed = %(feed)s and r.supplier_stone_id = f.supplier_stone_id
    returning r.supplier_stone_id
)
select count(*) as requeued, max(supplier_stone_id) as last from again
"""

# Sorted, as above. A hold of ours lasts until its time.
_FAIL_CONTRADICTING = """
with odd as (
    select supplier_stone_id from diamonds.raw_diamonds
    where feed = %(feed)s and consolidation_status = 'pending' and supplier_stone_id = any(%(stones)s)
    order by supplier_stone_id for update
), failed as (
    update diamonds.raw_diamonds r
    set consolidation_status = 'failed', failure_reason = %(reason)s, claimed_at = now(), claimed_by = %(worker)s,
        consolidated_at = now(), updated_at = now()
    from odd where r.feed = %(feed)s and r.supplier_stone_id = odd.supplier_stone_id
)
update diamonds.diamonds d set feed_availability = 'unavailable', updated_at = now(),
    availability = case when d.hold_expires_at > now() then d.availability else 'unavailable' end
from odd where d.feed = %(feed)s and d.supplier_stone_id = odd.supplier_stone_id and d.status = 'active'
"""


async def listed(feed: FeedName, after: str, limit: int) -> list[FailedRow]:
    """The feed's failed rows behind that stone id, in the order of their ids."""
    async with database() as connection:
        found = await rows(
            connection,
            "select supplier_stone_id, failure_reason as reason, run_id, updated_at as failed_at"
            " from diamonds.raw_diamonds where feed = %s and consolidation_status = 'failed'"
            " and supplier_stone_id > %s order by supplier_stone_id limit %s",
            (feed, after, limit),
        )
    return [FailedRow.model_validate(row) for row in found]


async def by_field(feed: FeedName) -> dict[str, int]:
    """How many of the feed's rows failed for each field (the first that is wrong of each), the most first."""
    async with database() as connection:
        found = await rows(
            connection,
            "select split_part(failure_reason, ':', 1) as field, count(*) as failed from diamonds.raw_diamonds"
            " where feed = %s and consolidation_status = 'failed' group by 1 order by 2 desc, 1",
            (feed,),
        )
    return {row["field"]: row["failed"] for row in found}


async def fail_contradicting(feed: FeedName, run_id: UUID | None, stone_ids: list[str]) -> None:
    """Let pending rows fail whose prices contradict the query that found them; their diamonds are not for sale then.

    For a run, or for none.

    Raises:
        Conflict: the run is not running (`run-ended`), for example because it was cancelled.
    """
    for start in range(0, len(stone_ids), BATCH_ROWS):
        parameters = {
            "feed": feed,
            "stones": stone_ids[start : start + BATCH_ROWS],
            "worker": str(run_id or feed),
            "reason": CONTRADICTING,
        }
        async with database() as connection:
            if run_id:
                await see_running(connection, run_id)
            await connection.execute(_FAIL_CONTRADICTING, parameters, prepare=False)


async def contradicting_rows(feed: FeedName, run_id: UUID) -> int:
    """How many rows that the run brought have failed so."""
    async with database() as connection:
        found = await rows(
            connection,
            "select count(*) as failed from diamonds.raw_diamonds where feed = %s and consolidation_status = 'failed'"
            " and failure_reason = %s and run_id = %s",
            (feed, CONTRADICTING, run_id),
        )
    return found[0]["failed"]


async def requeue(feed: FeedName, *, refused: bool = False) -> int:
    """Let the feed's failed rows be consolidated again; how many. Repeated, it finds none left.

    Those that a person discarded, or whose price contradicts the query that found them, only if `refused` says so.
    """
    requeued, after = 0, ""
    while True:
        async with database() as connection:
            batch = await _requeue(connection, feed, after, but=[] if refused else [DISCARDED, CONTRADICTING])
        requeued += batch["requeued"]
        if batch["requeued"] < BATCH_ROWS:
            return requeued
        after = batch["last"]


async def requeue_one(feed: FeedName, supplier_stone_id: str) -> int:
    """Let one failed row be consolidated again; 0: it has not failed, or there is none."""
    async with database() as connection:
        again = await connection.execute(
            "update diamonds.raw_diamonds set consolidation_status = 'pending', failure_reason = null,"
            " claimed_at = null, claimed_by = null, updated_at = now()"
            " where feed = %s and supplier_stone_id = %s and consolidation_status = 'failed'",
            (feed, supplier_stone_id),
        )
    return again.rowcount


async def requeue_if_read_anew(feed: FeedName, fingerprint: bytes) -> int:
    """Once after each change of how the feed is read, let its failed rows be consolidated again; how many.

    `fingerprint` is of how it is read now. Of several that ask at once, one does it, before the others go on.
    """
    async with database() as connection:
        changed = await connection.execute(
            "insert into diamonds.feed_mappings as known (feed, fingerprint) values (%s, %s)"
            " on conflict (feed) do update set fingerprint = excluded.fingerprint, changed_at = now()"
            " where known.fingerprint <> excluded.fingerprint",
            (feed, fingerprint),
        )
        requeued, after = 0, ""
        while changed.rowcount:
            batch = await _requeue(connection, feed, after, but=[])
            requeued += batch["requeued"]
            if batch["requeued"] < BATCH_ROWS:
                break
            after = batch["last"]
    return requeued


async def _requeue(connection: AsyncConnection[Any], feed: FeedName, after: str, *, but: list[str]) -> dict[str, Any]:
    parameters = {"feed": feed, "after": after, "rows": BATCH_ROWS, "but": but}
    return (await rows(connection, _REQUEUE, parameters, prepare=False))[0]
