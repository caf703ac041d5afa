"""Holds at the supplier that go with ours: placed, given up, and found out about when an answer was lost.

Each is asked for once, outside any transaction, by whoever has stored that it will be (`asked`). Who dies in between
leaves that mark, and `settle` finds out by looking at the stone.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from shared.diamonds.ingestion.suppliers import open_trading
from shared.diamonds.ingestion.suppliers.trading import REFUSED, OutcomeUnknown, SupplierHold
from shared.diamonds.offer.trade.diamond import free, lock
from shared.platform.errors import Conflict, ManifoldError, TransientError
from shared.platform.models import LazyModel
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.diamonds.ingestion.suppliers.trading import Trading

logger = logging.getLogger(__name__)

NOT_PLACED = "hold-not-placed"
SETTLED_AT_ONCE = 100
"""Holds that one call of `settle` or `end_past` looks at."""
STALE_MINUTES = 2
"""After this long nobody waits for an answer of the supplier any more: whoever asked has died."""


class HoldAtSupplier(LazyModel):
    """What stands at the supplier beside our hold."""

    state: Literal["asked", "held", "unknown"] = Field(
        description="asked: the supplier has not answered yet; unknown: its answer was lost, which is looked into"
    )
    hold_id: str | None = Field(description="The supplier's name for it")
    until: datetime | None = Field(
        description="When it ends there; our hold ends no later. null: the supplier does not say"
    )


async def place(hold_id: str, feed: str, stone_id: str) -> None:
    """Have the supplier keep the stone, and store what came of it. Our hold is given back if it does not.

    Raises:
        Conflict: the supplier refuses (`supplier-refused-hold`).
        TransientError, TerminalError: the supplier was not reached, or did not place it.
    """
    try:
        async with open_trading(feed) as supplier:
            try:
                placed = await supplier.hold(stone_id)
            except OutcomeUnknown as error:
                logger.warning(
                    "The supplier's answer to a hold was lost, so the diamond is looked at: %s",
                    error,
                    extra={"hold_id": hold_id},
                )
                await _find_out(supplier, hold_id, stone_id)
                return
    except ManifoldError as error:
        await _refused(hold_id)
        if error.code == REFUSED:
            logger.warning("The supplier refused to hold a diamond: %s", error, extra={"hold_id": hold_id})
            raise _not_kept() from error
        raise
    if placed is None:
        await _refused(hold_id)
        raise _not_kept()
    await _held(hold_id, placed)


def _not_kept() -> Conflict:
    return Conflict(
        "The supplier does not keep this diamond for us.",
        code="supplier-refused-hold",
        remedy="It is held or sold there. The next run of the feed will say so.",
    )


async def end(hold_id: str) -> None:
    """Give our hold's counterpart up, if there is one. What fails is left to `end_past`."""
    try:
        await _end(hold_id)
    except ManifoldError as error:
        logger.warning(
            "A hold could not be ended at the supplier; it is tried again later: %s", error, extra={"hold_id": hold_id}
        )


async def end_past() -> int:
    """Give up at the supplier what is not held here any more; how many. What fails is left to the next call."""
    async with database() as connection:
        past = await rows(
            connection,
            """
            select h.hold_id from diamonds.hold_history h join diamonds.diamonds d on d.id = h.diamond_id
            where h.supplier_state = 'held' and (h.released_at is not null or h.expires_at < now())
                and d.hold_expires_at is distinct from 'infinity' -- it goes with a sale
            order by h.id limit %s
            """,
            (SETTLED_AT_ONCE,),
        )
    for row in past:
        await end(row["hold_id"])
    return len(past)


async def settle() -> int:
    """Find out what became of holds whose answer was lost; how many are still unknown."""
    async with database() as connection:
        open_ = await rows(
            connection,
            "select h.hold_id, d.feed, d.supplier_stone_id from diamonds.hold_history h"
            " join diamonds.diamonds d on d.id = h.diamond_id where h.supplier_state in ('asked', 'unknown')"
            " and h.supplier_changed_at < now() - %s * interval '1 minute' order by h.id limit %s",
            (STALE_MINUTES, SETTLED_AT_ONCE),
        )
    unknown = 0
    for row in open_:
        try:
            async with open_trading(row["feed"]) as supplier:
                await _find_out(supplier, row["hold_id"], row["supplier_stone_id"])
        except TransientError as error:
            if error.code != NOT_PLACED:
                unknown += 1
                logger.warning(
                    "It is still unknown whether the supplier holds a diamond: %s",
                    error,
                    extra={"hold_id": row["hold_id"]},
                )
        except ManifoldError as error:
            unknown += 1
            logger.warning(
                "It is still unknown whether the supplier holds a diamond: %s", error, extra={"hold_id": row["hold_id"]}
            )
    return unknown


async def _find_out(supplier: Trading, hold_id: str, stone_id: str) -> None:
    """Look at the stone: a hold that shows is the one that was asked for.

    Raises:
        TransientError: it was not placed (`hold-not-placed`); ours is given back.
    """
    try:
        now = await supplier.look(stone_id)
    except ManifoldError as error:
        logger.warning(
            "Whether the supplier holds a diamond could not be checked: %s", error, extra={"hold_id": hold_id}
        )
        await _set(hold_id, "unknown")
        return
    if now is not None and now.hold_id is not None:
        await _held(hold_id, SupplierHold(now.hold_id, None))
        return
    await _refused(hold_id)
    raise TransientError("The supplier's answer was lost, and the diamond was not held.", code=NOT_PLACED)


async def _held(hold_id: str, placed: SupplierHold) -> None:
    """Ours ends no later than the supplier's. An end in the past is none: its clock, or what it writes, is wrong."""
    until = placed.until if placed.until and placed.until > datetime.now(UTC) else None
    async with database() as connection:
        await connection.execute(
            """
            with held as (
                update diamonds.hold_history set supplier_state = 'held', supplier_hold_id = %(id)s,
                    supplier_until = %(until)s, supplier_changed_at = now(), expires_at = least(expires_at, %(until)s)
                where hold_id = %(hold)s returning hold_id, expires_at
            )
            update diamonds.diamonds d set hold_expires_at = held.expires_at, updated_at = now() from held
            where d.hold_id = held.hold_id and d.availability = 'on_hold'
            """,
            {"hold": hold_id, "id": placed.hold_id, "until": until},
        )


async def _refused(hold_id: str) -> None:
    async with database() as connection:
        found = await rows(connection, "select diamond_id from diamonds.hold_history where hold_id = %s", (hold_id,))
        await lock(connection, found[0]["diamond_id"], offered=False)
        await connection.execute(
            "update diamonds.hold_history set supplier_state = 'refused', supplier_changed_at = now(),"
            " released_at = coalesce(released_at, now()) where hold_id = %s",
            (hold_id,),
        )
        await free(connection, hold_id)


async def _end(hold_id: str) -> None:
    async with database() as connection:
        found = await rows(
            connection,
            "select d.id, d.feed, h.supplier_hold_id, h.supplier_until < now() as over from diamonds.hold_history h"
            " join diamonds.diamonds d on d.id = h.diamond_id where h.hold_id = %s and h.supplier_state = 'held'",
            (hold_id,),
        )
    if not found:
        return
    if not found[0]["over"]:
        async with open_trading(found[0]["feed"]) as supplier:
            await _end_there(supplier, found[0]["supplier_hold_id"])
    async with database() as connection:
        await lock(connection, found[0]["id"], offered=False)
        await connection.execute(
            "update diamonds.hold_history set supplier_state = 'ended', supplier_changed_at = now() where hold_id = %s",
            (hold_id,),
        )
        # A run may have read our own hold there: it does not make the diamond somebody else's.
        await connection.execute(
            "update diamonds.diamonds set feed_availability = 'available', updated_at = now(),"
            " availability = case when hold_expires_at > now() then availability else 'available' end"
            " where id = %s and feed_availability = 'on_hold'",
            (found[0]["id"],),
        )


async def _end_there(supplier: Trading, supplier_hold_id: str) -> None:
    try:
        await supplier.end_hold(supplier_hold_id)
    except ManifoldError as error:
        if error.code != REFUSED:  # refused: it does not stand there any more
            raise


async def _set(hold_id: str, state: str) -> None:
    async with database() as connection:
        await connection.execute(
            "update diamonds.hold_history set supplier_state = %s, supplier_changed_at = now() where hold_id = %s",
            (state, hold_id),
        )


def at_supplier(row: dict[str, Any]) -> HoldAtSupplier | None:
    """What an answer says of a hold's row; None where the hold is ours alone."""
    if row["supplier_state"] == "ours":
        return None
    return HoldAtSupplier(state=row["supplier_state"], hold_id=row["supplier_hold_id"], until=row["supplier_until"])
