"""Keeping a diamond for one client."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import ConfigDict, Field

from shared.diamonds.ingestion.suppliers import trades
from shared.diamonds.offer.trade import supplier_holds
from shared.diamonds.offer.trade.availability import Availability, of_diamond
from shared.diamonds.offer.trade.diamond import close, free, lock, read, refuse_unless_free
from shared.diamonds.offer.trade.supplier_holds import HoldAtSupplier
from shared.platform.errors import NotFound
from shared.platform.models import LazyModel
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection


class HoldRequest(LazyModel):
    """How long the diamond is to be kept for the caller."""

    model_config = ConfigDict(extra="forbid")
    minutes: int = Field(default=30, ge=1, le=1_440)


class Hold(LazyModel):
    """The diamond is the caller's to buy until then."""

    hold_id: str
    diamond_id: int
    expires_at: datetime
    renewed: bool = Field(description="The caller held it already; the hold lasts at least as long as before")
    ours_alone: bool = Field(
        description="true: the feed takes no holds, so that the supplier is not told and may sell the diamond elsewhere"
    )
    supplier: HoldAtSupplier | None = Field(description="null where the hold is ours alone")


async def hold(diamond_id: int, client: str, request: HoldRequest) -> Hold:
    """Keep the diamond for the client, or keep it longer; at the supplier, too, where its feed takes holds.

    Raises:
        NotFound: it is not offered.
        Conflict: another holds it (`diamond-held`), it is not available (`diamond-not-available`), or the supplier
            refuses (`supplier-refused-hold`).
        TransientError: others had the diamond for too long, or the supplier was not reached.
    """
    async with database() as connection:
        diamond = await lock(connection, diamond_id)
        refuse_unless_free(diamond, client)
        kept = await _keep(connection, diamond, client, request)
    if kept["supplier_state"] == "asked" and not diamond["held"]:
        await supplier_holds.place(kept["hold_id"], diamond["feed"], diamond["supplier_stone_id"])
        async with database() as connection:
            kept = (
                await rows(
                    connection,
                    f"select {_KEPT} from diamonds.hold_history where hold_id = %s",  # noqa: S608 - a constant
                    (kept["hold_id"],),
                )
            )[0]
    return Hold(
        hold_id=kept["hold_id"],
        diamond_id=diamond_id,
        expires_at=kept["expires_at"],
        renewed=diamond["held"],
        ours_alone=kept["supplier_state"] == "ours",
        supplier=supplier_holds.at_supplier(kept),
    )


async def release(diamond_id: int, client: str) -> Availability:
    """End the client's hold before its time, also at the supplier; then what the supplier says of it counts again.

    Raises:
        NotFound: the diamond is not offered, or the client has no hold on it (`no-hold`): none, or it has ended.
        Conflict: another holds it (`diamond-held`).
        TransientError: others had the diamond for too long.
    """
    async with database() as connection:
        diamond = await lock(connection, diamond_id)
        if not diamond["held"]:
            raise NotFound(
                f"There is no hold of {client} on diamond {diamond_id}: there never was, or it has ended.",
                code="no-hold",
            )
        refuse_unless_free(diamond, client)
        await close(connection, diamond_id)
        await free(connection, diamond["hold_id"])
    await supplier_holds.end(diamond["hold_id"])
    async with database() as connection:
        return of_diamond(await read(connection, diamond_id), client)


_KEPT = "hold_id, expires_at, supplier_state, supplier_hold_id, supplier_until"


async def _keep(
    connection: AsyncConnection[Any], diamond: dict[str, Any], client: str, request: HoldRequest
) -> dict[str, Any]:
    """Store the hold, or that it lasts longer: no longer than the supplier's."""
    parameters = {
        "id": diamond["id"],
        "client": client,
        "minutes": request.minutes,
        "hold": diamond["hold_id"],
        "state": "asked" if trades(diamond["feed"]) else "ours",
    }
    if diamond["held"]:
        kept = await rows(
            connection,
            "update diamonds.hold_history"  # noqa: S608 - a constant
            " set expires_at = least(supplier_until, greatest(expires_at,"
            f" now() + %(minutes)s * interval '1 minute')) where hold_id = %(hold)s returning {_KEPT}",
            parameters,
        )
    else:
        await close(connection, diamond["id"])
        parameters["hold"] = uuid4().hex
        kept = await rows(
            connection,
            "insert into diamonds.hold_history"  # noqa: S608 - a constant
            " (diamond_id, hold_id, client_name, expires_at, supplier_state, supplier_changed_at)"
            " values (%(id)s, %(hold)s, %(client)s, now() + %(minutes)s * interval '1 minute', %(state)s, now())"
            f" returning {_KEPT}",
            parameters,
        )
    await connection.execute(
        "update diamonds.diamonds set availability = 'on_hold', hold_id = %(hold_id)s,"
        " hold_expires_at = %(expires_at)s, updated_at = now() where id = %(id)s",
        {"hold_id": kept[0]["hold_id"], "expires_at": kept[0]["expires_at"], "id": diamond["id"]},
    )
    return kept[0]
