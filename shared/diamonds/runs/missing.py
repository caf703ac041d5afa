"""Diamonds that the supplier no longer offers: what a complete full run did not see, nor any run begun since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.diamonds.runs.models import MissingDiamonds, RunStatus
from shared.diamonds.runs.refusals import run_ended, unknown_run
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection


DELETION_STOPPED = "deletion-stopped"

_RUN = """
select r.feed, r.status, r.run_type = 'full' and r.max_records = 0 as whole_feed, (
    select coalesce(bool_and(w.status = 'completed'), false) from diamonds.worker_runs w where w.run_id = r.run_id
) as complete, r.offered_records as active, r.missing_records as missing, r.error_code, r.released,
    -- A run that was retried days later must not delete what was listed in between.
    array(select run_id from diamonds.run_metadata l where l.feed = r.feed and l.started_at >= r.started_at) as runs,
    -- The prices of partitions that listed fewer different diamonds than the supplier counts: what they have not shown
    -- may be there. One dollar beside them may come of rounding.
    coalesce((
        select range_agg(numrange(
            (w.work_item_payload #>> '{prices,minimum}')::numeric - 1,
            (w.work_item_payload #>> '{prices,maximum}')::numeric + 1, '[]'))
        from diamonds.worker_runs w join diamonds.partition_progress p using (run_id, partition_id)
        where w.run_id = r.run_id and w.records_processed < p.counted
    ), '{}')::text as short
from diamonds.run_metadata r where r.run_id = %(run_id)s for share
"""

# Without statistics of the sightings that a run has just written, the planner would look all of them up again for each
# diamond: minutes for 54,000, hours for half a million. A hash or a merge reads each table once, whatever is known.
_READ_ONCE = "set local enable_nestloop = off"

_UNSEEN = """
not exists (
    select from diamonds.run_sightings s where s.run_id = any(%(runs)s) and s.supplier_stone_id = d.supplier_stone_id
)
"""
_MISSING = f"""
d.feed = %(feed)s and d.status = 'active' and not d.price_model_price <@ %(short)s::nummultirange and {_UNSEEN}
"""

COUNT = f"""
select (select count(*) from diamonds.diamonds where feed = %(feed)s and status = 'active') as active,
    (select count(*) from diamonds.diamonds d where {_MISSING}) as missing
"""  # noqa: S608 - a condition written above

_MARK = f"""
update diamonds.diamonds d set status = 'deleted', deleted_at = now(), updated_at = now()
where {_MISSING}
"""  # noqa: S608 - a condition written above

# Without its raw row a diamond that is offered again is new to the feed, also if nothing about it has changed. What is
# still on offer, unseen, keeps it.
_FORGET = f"""
delete from diamonds.raw_diamonds d where d.feed = %(feed)s and {_UNSEEN} and not exists (
    select from diamonds.diamonds k
    where k.feed = d.feed and k.supplier_stone_id = d.supplier_stone_id and k.status = 'active'
)
"""  # noqa: S608 - a condition written above

_NOTE = """
update diamonds.run_metadata set offered_records = %(active)s, missing_records = %(missing)s,
    deleted_records = %(deleted)s, error_code = %(code)s, error = %(error)s
where run_id = %(run_id)s
"""


async def count_missing(run_id: UUID) -> int | None:
    """How many of the feed's diamonds this run has not seen; None unless it has read the whole feed."""
    async with database() as connection:
        found = await rows(connection, _RUN, {"run_id": run_id})
        if not found or not (found[0]["whole_feed"] and found[0]["complete"]):
            return None
        await connection.execute(_READ_ONCE)
        parameters = {name: found[0][name] for name in ("feed", "runs", "short")}
        return (await rows(connection, COUNT, parameters, prepare=False))[0]["missing"]


async def mark_missing_deleted(run_id: UUID, max_share: float) -> MissingDiamonds:
    """Mark the feed's diamonds deleted that this running full run did not see, unless they are more than `max_share`.

    The share is of the diamonds offered before: more is taken for a fault at the supplier, and nothing is done, unless
    a person has released the run. What has a price of a partition that listed fewer diamonds than were counted stays.
    The run's row says what came of it (code `deletion-stopped`); repeated, it gives the answer of the first time.

    Raises:
        NotFound: there is no such run.
        Conflict: it is not running (`run-ended`), or has not read the whole feed (`run-incomplete`).
    """
    async with database() as connection:
        found = await rows(connection, _RUN, {"run_id": run_id})
        if not found:
            raise unknown_run(run_id)
        run = found[0]
        if run["status"] != RunStatus.RUNNING:
            raise run_ended(run_id, run["status"])
        if not (run["whole_feed"] and run["complete"]):
            raise Conflict(
                f"Run {run_id} has not read the whole feed, so it cannot say what is missing.", code="run-incomplete"
            )
        if run["missing"] is not None:
            return MissingDiamonds(
                active=run["active"], missing=run["missing"], deleted=run["error_code"] != DELETION_STOPPED
            )
        parameters = {"run_id": run_id, **{name: run[name] for name in ("feed", "runs", "short")}}
        await connection.execute(_READ_ONCE)
        counts = (await rows(connection, COUNT, parameters, prepare=False))[0]
        allowed = run["released"] or counts["missing"] <= max_share * counts["active"]
        if allowed:
            await connection.execute(_MARK.encode(), parameters, prepare=False)
            await connection.execute(_FORGET.encode(), parameters, prepare=False)
        await _note(connection, run_id, counts, allowed=allowed, max_share=max_share)
    return MissingDiamonds(active=counts["active"], missing=counts["missing"], deleted=allowed)


async def _note(
    connection: AsyncConnection[Any], run_id: UUID, counts: dict[str, int], *, allowed: bool, max_share: float
) -> None:
    active, missing = counts["active"], counts["missing"]
    stopped = (
        f"{missing:,} of {active:,} diamonds ({missing / max(active, 1):.0%}) were not offered any more, over the limit"
        f" of {max_share:.0%}: none was marked deleted."
    )
    await connection.execute(
        _NOTE,
        {
            "run_id": run_id,
            "active": active,
            "missing": missing,
            "deleted": missing if allowed else 0,
            "code": None if allowed else DELETION_STOPPED,
            "error": None if allowed else stopped,
        },
    )
