"""Whether a diamond can be bought, and keeping it for one client."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from shared.diamonds.offer.trade.diamond import close, lock, read, refuse_unless_free
from shared.platform.errors import NotFound
from shared.platform.stores.postgres import database, rows


class Availability(BaseModel):
    """Whether a diamond can be bought now."""

    id: int
    availability: Literal["available", "on_hold", "sold", "unavailable"]
    available: bool = Field(description="The caller may hold or buy it now: it is free, or held by the caller")
    held_by_caller: bool
    held_until: datetime | None = Field(description="When the hold ends, if it is one of ours")
    retail_price: float = Field(description="US dollars")


class HoldRequest(BaseModel):
    """How long the diamond is to be kept for the caller."""

    model_config = ConfigDict(extra="forbid")
    minutes: int = Field(30, ge=1, le=1_440)


class Hold(BaseModel):
    """The diamond is the caller's to buy until then."""

    hold_id: str
    diamond_id: int
    expires_at: datetime
    renewed: bool = Field(description="The caller held it already; the hold lasts at least as long as before")


async def availability(diamond_id: int, client: str) -> Availability:
    """Whether the client can buy the diamond now.

    Raises:
        NotFound: it is not offered.
    """
    async with database() as connection:
        return _availability(await read(connection, diamond_id), client)


async def hold(diamond_id: int, client: str, request: HoldRequest) -> Hold:
    """Keep the diamond for the client, or keep it longer.

    Raises:
        NotFound: it is not offered.
        Conflict: another holds it (`diamond-held`), or it is not available (`diamond-not-available`).
        TransientError: others had the diamond for too long.
    """
    async with database() as connection:
        diamond = await lock(connection, diamond_id)
        refuse_unless_free(diamond, client)
        given = {"id": diamond_id, "client": client, "minutes": request.minutes, "hold": diamond["hold_id"]}
        if diamond["held"]:
            kept = await rows(
                connection,
                "update diamonds.hold_history set expires_at ="
                " greatest(expires_at, now() + %(minutes)s * interval '1 minute')"
                " where hold_id = %(hold)s returning hold_id, expires_at",
                given,
            )
        else:
            await close(connection, diamond_id)
            given["hold"] = uuid4().hex
            kept = await rows(
                connection,
                "insert into diamonds.hold_history (diamond_id, hold_id, client_name, expires_at)"
                " values (%(id)s, %(hold)s, %(client)s, now() + %(minutes)s * interval '1 minute')"
                " returning hold_id, expires_at",
                given,
            )
        await connection.execute(
            "update diamonds.diamonds set availability = 'on_hold', hold_id = %(hold_id)s,"
            " hold_expires_at = %(expires_at)s, updated_at = now() where id = %(id)s",
            {**kept[0], "id": diamond_id},
        )
    return Hold(diamond_id=diamond_id, renewed=diamond["held"], **kept[0])


async def release(diamond_id: int, client: str) -> Availability:
    """End the client's hold before its time; then what the supplier says of the diamond counts again.

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
        await connection.execute(
            "update diamonds.diamonds set availability = diamonds.availability_now(availability, '-infinity',"
            " feed_availability), hold_id = null, hold_expires_at = null, updated_at = now() where id = %s",
            (diamond_id,),
        )
        return _availability(await read(connection, diamond_id), client)


def _availability(diamond: dict[str, Any], client: str) -> Availability:
    by_caller = diamond["held"] and diamond["holder"] == client
    return Availability(
        id=diamond["id"],
        availability=diamond["availability"],
        available=diamond["availability"] == "available" or by_caller,
        held_by_caller=by_caller,
        held_until=diamond["held_until"] if diamond["held"] else None,
        retail_price=diamond["retail_price"],
    )
