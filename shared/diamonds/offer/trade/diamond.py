"""One diamond and who has it, read and changed by one step at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.diamonds.offer.search.read import unknown_diamond
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

LOCK_SECONDS = 5
"""How long a step waits for others that have the diamond; then it gives up, and may be tried again."""


async def lock(connection: AsyncConnection[Any], diamond_id: int, *, offered: bool = True) -> dict[str, Any]:
    """The diamond, which is nobody else's until the transaction ends.

    Raises:
        NotFound: as `read`.
        TransientError: others had it for LOCK_SECONDS.
    """
    await connection.execute("select set_config('lock_timeout', %s, true)", (f"{LOCK_SECONDS}s",))
    # Read by a statement of its own: one that waited for the row would see the holds of the time before.
    await connection.execute("select from diamonds.diamonds where id = %s for update", (diamond_id,))
    return await read(connection, diamond_id, offered=offered)


async def read(connection: AsyncConnection[Any], diamond_id: int, *, offered: bool = True) -> dict[str, Any]:
    """The diamond as it stands now: its prices in US dollars, its availability, and who holds it until when.

    Raises:
        NotFound: there is none of that id (`unknown-diamond`), or `offered` is asked for and it is not on offer.
    """
    found = await rows(
        connection,
        """
        select d.id, d.feed, d.supplier_stone_id, d.offer_id, d.status = 'active' as offered,
            d.price_model_price, d.retail_price, d.feed_availability,
            diamonds.availability_now(d.availability, d.hold_expires_at, d.feed_availability) as availability,
            d.availability = 'on_hold' and coalesce(d.hold_expires_at > now(), false) as held,
            d.hold_id, h.client_name as holder, exists (
                select from diamonds.raw_diamonds r where r.feed = d.feed
                    and r.supplier_stone_id = d.supplier_stone_id and r.consolidation_status = 'failed'
            ) as unpriced,
            case when d.availability = 'on_hold' then d.hold_expires_at end as held_until
        from diamonds.diamonds d left join diamonds.hold_history h on h.hold_id = d.hold_id
        where d.id = %s
        """,
        (diamond_id,),
    )
    if not found or (offered and not found[0]["offered"]):
        raise unknown_diamond(diamond_id)
    return found[0]


async def close(connection: AsyncConnection[Any], diamond_id: int) -> None:
    """Note when the diamond's hold ended: when it expired, or now."""
    await connection.execute(
        "update diamonds.hold_history set released_at = least(expires_at, now())"
        " where diamond_id = %s and released_at is null",
        (diamond_id,),
    )


async def free(connection: AsyncConnection[Any], hold_id: str) -> None:
    """Let what the feed says of the diamond count again, if this hold still has it."""
    await connection.execute(
        "update diamonds.diamonds set availability = feed_availability, hold_id = null, hold_expires_at = null,"
        " updated_at = now() where hold_id = %s and availability = 'on_hold' and hold_expires_at is not null",
        (hold_id,),
    )


def refuse_without_price(diamond: dict[str, Any]) -> None:
    """A hold outlasts what the supplier says of a diamond's availability, not that nobody knows its price any more.

    Raises:
        Conflict: its row could not be priced (`diamond-not-available`).
    """
    if diamond["unpriced"]:
        raise Conflict(
            f"Diamond {diamond['id']} has no price now, so it is not for sale.",
            code="diamond-not-available",
            remedy="Ask again once a run of the feed has brought its price.",
        )


def refuse_unless_free(diamond: dict[str, Any], client: str) -> None:
    """See that the client may hold or buy the diamond: it is available, or the client holds it.

    Raises:
        Conflict: another client holds it (`diamond-held`), or it is not available (`diamond-not-available`).
    """
    if diamond["held"]:
        if diamond["holder"] == client:
            return
        raise Conflict(
            f"Diamond {diamond['id']} is held by another client.",
            code="diamond-held",
            remedy=f"It is free at {diamond['held_until']:%Y-%m-%dT%H:%M:%SZ} if the hold is not renewed.",
        )
    if diamond["availability"] != "available":
        raise Conflict(
            f"Diamond {diamond['id']} is {diamond['availability'].replace('_', ' ')}.", code="diamond-not-available"
        )
