"""Diamonds that the supplier no longer offers: what a complete full run did not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.diamonds.models import MissingDiamonds, RunStatus
from shared.diamonds.reports import rows
from shared.platform.errors import Conflict, NotFound
from shared.platform.postgres import database

if TYPE_CHECKING:
    from uuid import UUID

    from shared.diamonds.reports import Database

_RUN = """
select r.feed, r.status, r.run_type = 'full' and r.max_records = 0 as whole_feed, (
    select coalesce(bool_and(w.status = 'completed'), false) from diamonds.worker_runs w where w.run_id = r.run_id
) as complete
from diamonds.run_metadata r where r.run_id = %(run_id)s for share
"""

_COUNT = """
select count(*) as active, count(*) filter (where not exists (
    select from diamonds.run_sightings s where s.run_id = %(run_id)s and s.supplier_stone_id = d.supplier_stone_id
)) as missing
from diamonds.diamonds d where d.feed = %(feed)s and d.status = 'active'
"""

_MARK = """
update diamonds.diamonds d set status = 'deleted', deleted_at = now(), updated_at = now()
where d.feed = %(feed)s and d.status = 'active' and not exists (
    select from diamonds.run_sightings s where s.run_id = %(run_id)s and s.supplier_stone_id = d.supplier_stone_id
)
"""

# Without its raw row a diamond that is offered again is new to the feed, also if nothing about it has changed.
_FORGET = """
delete from diamonds.raw_diamonds r
where r.feed = %(feed)s and not exists (
    select from diamonds.run_sightings s where s.run_id = %(run_id)s and s.supplier_stone_id = r.supplier_stone_id
)
"""


async def mark_missing_deleted(run_id: UUID, max_share: float, *, database: Database = database) -> MissingDiamonds:
    """Mark the feed's diamonds deleted that this running full run did not see, unless they are more than `max_share`.

    The share is of the diamonds offered before: more is taken for a fault at the supplier, and nothing is done.

    Raises:
        NotFound: there is no such run.
        Conflict: it is not running (`run-ended`), or has not read the whole feed (`run-incomplete`).
    """
    async with database() as connection:
        found = await rows(connection, _RUN, {"run_id": run_id})
        if not found:
            raise NotFound(f"There is no run {run_id}.", code="unknown-run")
        run = found[0]
        if run["status"] != RunStatus.RUNNING:
            raise Conflict(f"Run {run_id} is {run['status']}, not running.", code="run-ended")
        if not (run["whole_feed"] and run["complete"]):
            raise Conflict(
                f"Run {run_id} has not read the whole feed, so it cannot say what is missing.", code="run-incomplete"
            )
        given = {"run_id": run_id, "feed": run["feed"]}
        counts = (await rows(connection, _COUNT, given, prepare=False))[0]
        allowed = counts["missing"] <= max_share * counts["active"]
        if allowed:
            await connection.execute(_MARK, given, prepare=False)
            await connection.execute(_FORGET, given, prepare=False)
    return MissingDiamonds(active=counts["active"], missing=counts["missing"], deleted=allowed)
