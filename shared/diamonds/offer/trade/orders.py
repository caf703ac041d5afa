"""Orders at the supplier that go with our sales: sent at most once, and what is unknown is a person's to settle.

The sale is stored before the supplier is asked (`asked`), so that nobody else can buy. Then the order is sent, outside
any transaction. If the supplier did not take it, the sale is undone, and the same request may be sent again. If its
answer was lost, the sale stands as `unknown`: no supplier here recognises a repeated order, so none is repeated.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from shared.diamonds.ingestion.suppliers import open_trading
from shared.diamonds.ingestion.suppliers.trading import REFUSED, OutcomeUnknown
from shared.diamonds.offer.trade.availability import is_ours
from shared.diamonds.offer.trade.diamond import close, lock
from shared.diamonds.offer.trade.supplier_holds import STALE_MINUTES
from shared.platform.errors import Conflict, ManifoldError, NotFound, TransientError
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.diamonds.ingestion.suppliers.trading import OfferNow, Trading

logger = logging.getLogger(__name__)


def number(purchase_id: int) -> str:
    """Our number for an order, which the supplier shows with it and on its invoice."""
    return f"MF-{purchase_id}"


async def place(purchase_id: int, diamond: dict[str, Any], reference: str | None) -> None:
    """Order the diamond of a stored sale, and store what came of it.

    Raises:
        Conflict: it is not to be had there (`supplier-not-available`), dearer than we know
            (`supplier-price-changed`) or without a price (`supplier-price-missing`); the sale is undone, as by all
            below.
        TransientError, TerminalError: the supplier was not reached, or did not take the order.
    """
    try:
        async with open_trading(diamond["feed"]) as supplier:
            await _check(supplier, diamond)
            try:
                order_id = await supplier.order(
                    diamond["offer_id"], number=number(purchase_id), comment=reference or ""
                )
            except OutcomeUnknown as error:
                logger.exception(
                    "The supplier's answer to an order was lost: a person finds out.",
                    extra={"purchase_id": purchase_id, "cause": str(error)},
                )
                await mark_unknown(purchase_id)
                return
    except ManifoldError as error:
        await _undo(purchase_id, keep=False)
        logger.info(
            "A sale was undone, since the supplier did not take the order: %s",
            error,
            extra={"purchase_id": purchase_id},
        )
        raise _refusal(error) from error
    await _ordered(purchase_id, order_id)


async def resolve(purchase_id: int, order_id: str | None) -> None:
    """Settle an unknown order by what a person found out: the supplier's name for it, or None if there is none.

    Without one the sale is undone; the row stays, and says so.

    Raises:
        NotFound: there is no such purchase.
        Conflict: its order is not unknown (`order-known`).
    """
    async with database() as connection:
        found = await rows(
            connection, "select supplier_state from diamonds.purchase_history where id = %s", (purchase_id,)
        )
    if not found:
        raise NotFound(f"There is no purchase {purchase_id}.", code="unknown-purchase")
    if found[0]["supplier_state"] != "unknown":
        raise Conflict(
            f"The order of purchase {purchase_id} is {found[0]['supplier_state'].replace('_', ' ')}.",
            code="order-known",
        )
    if order_id is None:
        await _undo(purchase_id, keep=True)
    else:
        await _ordered(purchase_id, order_id)


async def mark_unknown(purchase_id: int) -> None:
    """The supplier may have taken the order or not."""
    async with database() as connection:
        await connection.execute(
            "update diamonds.purchase_history set supplier_state = 'unknown', supplier_changed_at = now()"
            " where id = %s and supplier_state = 'asked'",
            (purchase_id,),
        )


async def end_stale() -> list[int]:
    """Mark orders as unknown whose sender has died; all purchases whose order is unknown, the oldest first."""
    async with database() as connection:
        await connection.execute(
            "update diamonds.purchase_history set supplier_state = 'unknown', supplier_changed_at = now()"
            " where supplier_state = 'asked' and supplier_changed_at < now() - %s * interval '1 minute'",
            (STALE_MINUTES,),
        )
        unknown = await rows(
            connection,
            "select id from diamonds.purchase_history where supplier_state = 'unknown' order by id limit 100",
        )
    return [row["id"] for row in unknown]


async def _check(supplier: Trading, diamond: dict[str, Any]) -> None:
    now = await supplier.look(diamond["supplier_stone_id"])
    if now is None or not await _to_be_had(now):
        raise Conflict(
            f"The supplier does not offer diamond {diamond['id']} any more: it is"
            f" {(now.availability if now else 'not listed').replace('_', ' ')} there.",
            code="supplier-not-available",
        )
    if now.price is None:
        raise Conflict(
            f"The supplier names no price of diamond {diamond['id']} now, so it is not for sale.",
            code="supplier-price-missing",
            remedy="Ask again once a run of the feed has brought its price.",
        )
    if now.price > diamond["price_model_price"]:
        raise Conflict(
            f"The supplier has raised its price of diamond {diamond['id']}.",
            code="supplier-price-changed",
            remedy="The next run of the feed brings the new price.",
        )


async def _to_be_had(now: OfferNow) -> bool:
    return now.availability == "available" or await is_ours(now.hold_id)


def _refusal(error: ManifoldError) -> ManifoldError:
    """What the buyer is told: that a supplier refuses an order is no fault of ours."""
    if error.code != REFUSED:
        return error
    return Conflict("The supplier does not sell this diamond to us.", code="supplier-refused-order")


async def _ordered(purchase_id: int, order_id: str) -> None:
    async with database() as connection:
        sold = await _lock(connection, purchase_id)
        await connection.execute(
            "update diamonds.purchase_history set supplier_state = 'ordered', supplier_order_id = %s,"
            " supplier_changed_at = now() where id = %s",
            (order_id, purchase_id),
        )
        # The order takes the place of the hold, there and here.
        await connection.execute(
            "update diamonds.hold_history set supplier_state = 'ended', supplier_changed_at = now()"
            " where diamond_id = %s and supplier_state in ('held', 'asked', 'unknown')",
            (sold,),
        )
        await close(connection, sold)
        await connection.execute(
            "update diamonds.diamonds set hold_id = null, updated_at = now() where id = %s", (sold,)
        )


async def _undo(purchase_id: int, *, keep: bool) -> None:
    """Offer the diamond again: to whoever held it, if that hold lasts."""
    async with database() as connection:
        sold = await _lock(connection, purchase_id)
        await connection.execute(
            "update diamonds.purchase_history set supplier_state = 'not_ordered', supplier_changed_at = now()"
            " where id = %s"
            if keep
            else "delete from diamonds.purchase_history where id = %s",
            (purchase_id,),
        )
        await connection.execute(
            """
            update diamonds.diamonds d set updated_at = now(),
                availability = case when h.hold_id is null then d.feed_availability else 'on_hold' end,
                hold_id = h.hold_id, hold_expires_at = h.expires_at
            from diamonds.diamonds self left join diamonds.hold_history h
                on h.hold_id = self.hold_id and h.released_at is null and h.expires_at > now()
            where d.id = %s and self.id = d.id
            """,
            (sold,),
        )


async def _lock(connection: AsyncConnection[Any], purchase_id: int) -> int:
    """Have the diamond of a purchase to ourselves; its id."""
    found = await rows(connection, "select diamond_id from diamonds.purchase_history where id = %s", (purchase_id,))
    if not found:
        raise TransientError(f"Purchase {purchase_id} has been undone meanwhile.", code="purchase-undone")
    await lock(connection, found[0]["diamond_id"], offered=False)
    return found[0]["diamond_id"]
