"""From raw rows to priced diamonds, set-wise: `consolidation.sql` maps and prices what one claim holds."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from shared.diamonds.pricing import statements
from shared.diamonds.pricing.models import RowsConsolidated
from shared.diamonds.pricing.rules import hold_rules
from shared.diamonds.runs.difference import withheld
from shared.diamonds.runs.lifecycle import see_running
from shared.platform.stores.postgres import DataRefused, database, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from psycopg import AsyncConnection

    from shared.diamonds.ingestion.mapping import Mapping, PriceUnit
    from shared.diamonds.pricing.models import ConsolidateRows

CLAIM_ROWS = 2_000
MOST_REFUSED = 100
"""Rows in a row that PostgreSQL may refuse one by one; after that the statement is at fault, and nothing more fails."""

_logger = logging.getLogger(__name__)


async def consolidate(
    task: ConsolidateRows,
    mapping: Mapping,
    price_unit: PriceUnit,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> RowsConsolidated:
    """Map and price the feed's pending rows for about `task.seconds`; call again until `finished`.

    Any number may run at once: each claims rows that no other holds. A claim, its diamonds and its outcome are one
    transaction, so who dies leaves nothing claimed. Rows that an earlier run left pending are taken too. When all are
    finished, rows are left only if one of them died.
    `mapping` says where the feed's payload holds what.

    A claim that PostgreSQL refuses for what is in a row is halved until that row is alone, which then fails.

    Raises:
        Conflict: the run is not running (`run-ended`), for example because it was cancelled.
        TransientError: the database's. What was claimed before it is done.
    """
    from psycopg import IntegrityError  # noqa: PLC0415 - loads in the activity that needs it

    deadline = clock() + task.seconds
    statement, of_mapping = statements.consolidation(mapping, price_unit)
    parameters = {
        **of_mapping,
        "feed": task.feed,
        "worker": task.worker,
        "only": None,
        "withheld": await withheld(task.feed, task.run_id),
    }
    done = failed = 0
    # Going on behind the last claim saves reading what the index still holds of all the rows done before, and beginning
    # anywhere saves reading what the other workers hold at this moment.
    after, finished, batch, refused_in_a_row = await _anywhere(task), False, CLAIM_ROWS, 0
    while not finished:
        try:
            claim = await _claim(task, statement, {**parameters, "after": after, "batch": batch})
        except (DataRefused, IntegrityError):
            if batch > 1:
                batch //= 2
                continue
            if refused_in_a_row >= MOST_REFUSED:
                raise  # it is not the rows
            claim = await _claim_one(task, statement, {**parameters, "after": after, "batch": 1})
        refused_in_a_row = refused_in_a_row + 1 if claim["refused"] else 0
        done += claim["done"]
        failed += claim["failed"]
        finished = claim["last"] is None and not after
        after = claim["last"] or ""
        batch = min(2 * batch, CLAIM_ROWS)
        if clock() >= deadline:
            break
    return RowsConsolidated(done=done, failed=failed, finished=finished)


async def _anywhere(task: ConsolidateRows) -> str:
    """The id of some pending row of a large feed, at which to begin; else the beginning."""
    async with database() as connection:
        found = await rows(connection, _ANYWHERE, {"feed": task.feed})
    return found[0]["supplier_stone_id"] if found else ""


async def _claim(task: ConsolidateRows, statement: str, parameters: dict[str, Any]) -> dict[str, Any]:
    async with database() as connection:
        await _hold(connection, task)
        return await _consolidate(connection, statement, parameters) | {"refused": False}


async def _claim_one(task: ConsolidateRows, statement: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Consolidate the next row alone; if PostgreSQL refuses what is in it, mark it failed with what it said."""
    from psycopg import DataError, IntegrityError  # noqa: PLC0415 - loads in the activity that needs it
    from psycopg.errors import ProgramLimitExceeded, StatementTooComplex  # noqa: PLC0415 - as above

    async with database() as connection:
        await _hold(connection, task)
        next_row = await rows(connection, _NEXT, parameters)
        if not next_row:
            return {"done": 0, "failed": 0, "last": None, "refused": False}
        stone_id = next_row[0]["supplier_stone_id"]
        try:
            async with connection.transaction():
                return await _consolidate(connection, statement, {**parameters, "only": [stone_id]}) | {
                    "refused": False
                }
        except (DataError, IntegrityError, ProgramLimitExceeded, StatementTooComplex) as refused:
            reason = f"row: {refused.diag.message_primary or refused}"[:300]
            await connection.execute(_MARK_FAILED, {**parameters, "stone_id": stone_id, "reason": reason})
    _logger.warning(
        "PostgreSQL refused a raw row, which was marked failed.", extra={"feed": task.feed, "stone_id": stone_id}
    )
    return {"done": 0, "failed": 1, "last": stone_id, "refused": True}


async def _hold(connection: AsyncConnection[Any], task: ConsolidateRows) -> None:
    """See that the run is running, and keep the pricing rules still until the transaction ends."""
    if task.run_id:
        await see_running(connection, task.run_id)
    await hold_rules(connection)


async def _consolidate(connection: AsyncConnection[Any], statement: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """One claim. Where a stone's id has come back with another certificate, the old diamond is retired first."""
    claim = (await rows(connection, statement, parameters, prepare=False))[0]
    if reused := claim["reused"]:
        await connection.execute(_RETIRE, {**parameters, "reused": reused})
        again = {**parameters, "after": "", "only": reused, "batch": len(reused)}
        second = (await rows(connection, statement, again, prepare=False))[0]
        claim["done"] += second["done"]
        claim["failed"] += second["failed"]
        claim["last"] = max(claim["last"] or "", second["last"] or "")
    return claim


# A look at one page in a hundred: a small table may give none.
_ANYWHERE = """
select supplier_stone_id from diamonds.raw_diamonds tablesample system (1)
where feed = %(feed)s and consolidation_status = 'pending' order by random() limit 1
"""

# The row keeps its id, its holds and its purchases; the supplier's id becomes free for the new diamond.
_RETIRE = """
update diamonds.diamonds
set supplier_stone_id = supplier_stone_id || '~' || id, status = 'deleted', deleted_at = coalesce(deleted_at, now()),
    updated_at = now()
where feed = %(feed)s and supplier_stone_id = any(%(reused)s)
"""

_NEXT = """
select supplier_stone_id from diamonds.raw_diamonds
where feed = %(feed)s and consolidation_status = 'pending' and supplier_stone_id > %(after)s
order by supplier_stone_id limit 1 for update skip locked
"""

_MARK_FAILED = """
update diamonds.raw_diamonds
set consolidation_status = 'failed', failure_reason = %(reason)s, claimed_at = now(), claimed_by = %(worker)s,
    consolidated_at = now(), updated_at = now()
where feed = %(feed)s and supplier_stone_id = %(stone_id)s
"""


async def recover_claims(older_than: timedelta) -> int:
    """Make rows pending again that were left `processing` for longer than that; how many.

    Ours are claimed and done in one transaction and never stay so: these come from workers that commit their claims.
    """
    async with database() as connection:
        recovered = await connection.execute(
            "update diamonds.raw_diamonds set consolidation_status = 'pending', claimed_at = null, claimed_by = null,"
            " updated_at = now() where consolidation_status = 'processing' and claimed_at < now() - %s",
            (older_than,),
        )
    return recovered.rowcount


async def pending_rows(feed: str) -> int:
    """How many of the feed's rows wait for consolidation. Cheap: for polling."""
    async with database() as connection:
        found = await rows(
            connection,
            "select count(*) as pending from diamonds.raw_diamonds"
            " where feed = %s and consolidation_status = 'pending'",
            (feed,),
        )
    return found[0]["pending"]
