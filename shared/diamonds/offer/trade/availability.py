"""Whether a diamond can be bought now: what we know of it, and what its supplier says."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from shared.diamonds.ingestion.suppliers import open_trading, trades
from shared.diamonds.models import AvailabilityState
from shared.diamonds.offer.trade.diamond import read
from shared.platform.errors import ManifoldError
from shared.platform.models import LazyModel
from shared.platform.stores.postgres import database, rows

logger = logging.getLogger(__name__)


class SupplierSays(LazyModel):
    """What the supplier answered when it was asked just now."""

    asked_at: datetime
    availability: AvailabilityState | None = Field(description="null: it did not answer, so what we know stands")
    price: float | None = Field(
        description="The supplier's price now, US dollars; null: it names none, or did not answer"
    )
    held_for_us: bool = Field(description="The hold that shows there is ours")


class Availability(LazyModel):
    """Whether a diamond can be bought now."""

    id: int
    availability: AvailabilityState
    available: bool = Field(
        description="The caller may hold or buy it now: it is free, or held by the caller, and its supplier, if it was"
        " asked, says the same and names a price"
    )
    held_by_caller: bool
    held_until: datetime | None = Field(description="When the hold ends, if it is one of ours")
    retail_price: float = Field(description="US dollars")
    ours_alone: bool = Field(
        description="true: the feed has no way to ask the supplier; this is what its last run said"
    )
    supplier: SupplierSays | None = Field(description="null where nobody asked the supplier")


async def availability(diamond_id: int, client: str) -> Availability:
    """Whether the client can buy the diamond now. The supplier is asked where its feed can be.

    Raises:
        NotFound: it is not offered.
    """
    async with database() as connection:
        diamond = await read(connection, diamond_id)
    answer = of_diamond(diamond, client)
    if answer.ours_alone:
        return answer
    says = await _ask(diamond)
    taken = says.availability != "available" and not says.held_for_us
    bars = says.availability is not None and (taken or says.price is None)
    return answer.model_copy(update={"supplier": says, "available": answer.available and not bars})


def of_diamond(diamond: dict[str, Any], client: str) -> Availability:
    """What we know of a diamond's row, without asking anybody."""
    by_caller = diamond["held"] and diamond["holder"] == client
    ours_alone = not trades(diamond["feed"])
    return Availability(
        id=diamond["id"],
        availability=diamond["availability"],
        available=(diamond["availability"] == "available" or by_caller) and not (ours_alone and diamond["unpriced"]),
        held_by_caller=by_caller,
        held_until=diamond["held_until"] if diamond["held"] else None,
        retail_price=diamond["retail_price"],
        ours_alone=ours_alone,
        supplier=None,
    )


async def _ask(diamond: dict[str, Any]) -> SupplierSays:
    asked_at = datetime.now(UTC)
    try:
        async with open_trading(diamond["feed"]) as supplier:
            now = await supplier.look(diamond["supplier_stone_id"])
    except ManifoldError as error:
        logger.warning(
            "A diamond's availability could not be checked at the supplier: %s",
            error,
            extra={"diamond_id": diamond["id"]},
        )
        return SupplierSays(asked_at=asked_at, availability=None, price=None, held_for_us=False)
    if now is None:
        return SupplierSays(asked_at=asked_at, availability="unavailable", price=None, held_for_us=False)
    return SupplierSays(
        asked_at=asked_at,
        availability=now.availability,
        price=None if now.price is None else float(now.price),
        held_for_us=await is_ours(now.hold_id),
    )


async def is_ours(supplier_hold_id: str | None) -> bool:
    """Whether a hold that the supplier shows is one of ours."""
    if supplier_hold_id is None:
        return False
    async with database() as connection:
        return bool(
            await rows(
                connection,
                "select 1 from diamonds.hold_history where supplier_state = 'held' and supplier_hold_id = %s",
                (supplier_hold_id,),
            )
        )
