"""Hold and buy diamonds. Each step is one transaction that has the diamond's row to itself.

A hold ends by the clock, or when its holder gives it up: nothing has to run for it. A purchase is a hold that never
ends, so that what the supplier says later does not undo it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from shared.diamonds.reports import rows
from shared.diamonds.search.read import unknown
from shared.platform.errors import Conflict, NotFound
from shared.platform.postgres import database

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.diamonds.reports import Database

LOCK_SECONDS = 5
"""How long a step waits for others that have the diamond; then it gives up, and may be tried again."""


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


class PurchaseRequest(BaseModel):
    """What the caller agrees to."""

    model_config = ConfigDict(extra="forbid")
    expected_price: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)] | None = Field(
        None, description="US dollars; refused if the retail price is another by now"
    )
    reference: str | None = Field(None, max_length=200, description="The caller's own name for the order")


class Purchase(BaseModel):
    """The diamond is sold to the caller."""

    purchase_id: int
    diamond_id: int
    price: float = Field(description="US dollars")
    reference: str | None
    purchased_at: datetime


async def availability(diamond_id: int, client: str, *, database: Database = database) -> Availability:
    """Whether the client can buy the diamond now.

    Raises:
        NotFound: it is not offered.
    """
    async with database() as connection:
        return _availability(await _read(connection, diamond_id), client)


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


async def hold(diamond_id: int, client: str, request: HoldRequest, *, database: Database = database) -> Hold:
    """Keep the diamond for the client, or keep it longer.

    Raises:
        NotFound: it is not offered.
        Conflict: another holds it (`diamond-held`), or it is not available (`diamond-not-available`).
        TransientError: others had the diamond for too long.
    """
    async with database() as connection:
        diamond = await _lock(connection, diamond_id)
        _refuse_unless_free(diamond, client)
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
            await _close(connection, diamond_id)
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


async def release(diamond_id: int, client: str, *, database: Database = database) -> Availability:
    """End the client's hold before its time; then what the supplier says of the diamond counts again.

    Raises:
        NotFound: the diamond is not offered, or the client has no hold on it (`no-hold`): none, or it has ended.
        Conflict: another holds it (`diamond-held`).
        TransientError: others had the diamond for too long.
    """
    async with database() as connection:
        diamond = await _lock(connection, diamond_id)
        if not diamond["held"]:
            raise NotFound(
                f"There is no hold of {client} on diamond {diamond_id}: there never was, or it has ended.",
                code="no-hold",
            )
        _refuse_unless_free(diamond, client)
        await _close(connection, diamond_id)
        await connection.execute(
            "update diamonds.diamonds set availability = diamonds.availability_now(availability, '-infinity',"
            " feed_availability), hold_id = null, hold_expires_at = null, updated_at = now() where id = %s",
            (diamond_id,),
        )
        return _availability(await _read(connection, diamond_id), client)


async def purchase(
    diamond_id: int, client: str, key: str, request: PurchaseRequest, *, database: Database = database
) -> tuple[Purchase, bool]:
    """Sell the diamond to the client, once for each of the client's keys; the answer, and whether it was given before.

    Raises:
        NotFound: it is not offered.
        Conflict: the key was used for something else (`idempotency-key-reused`), another holds the diamond
            (`diamond-held`), it is not available (`diamond-not-available`) or its price changed (`price-changed`).
        TransientError: others had the diamond for too long.
    """
    from psycopg.errors import UniqueViolation  # noqa: PLC0415 - loads in the activity that needs it

    asked = sha256(f"{diamond_id}\n{request.model_dump_json()}".encode()).digest()
    try:
        async with database() as connection:
            # The row comes first: a repeated request waits here until the first one has left its answer.
            diamond = await _lock(connection, diamond_id, offered=False)
            if first := await _first_answer(connection, client, key, asked):
                return first, True
            if not diamond["offered"]:
                raise unknown(diamond_id)
            _refuse_unless_free(diamond, client)
            _refuse_other_price(diamond, request)
            return await _sell(connection, diamond, client, request, key=key, asked=asked), False
    except UniqueViolation:
        # At the same moment the key bought another diamond; were it this one, the row would have been waited for.
        raise _reused(key) from None


async def _sell(
    connection: AsyncConnection[Any],
    diamond: dict[str, Any],
    client: str,
    request: PurchaseRequest,
    *,
    key: str,
    asked: bytes,
) -> Purchase:
    from psycopg.types.json import Jsonb  # noqa: PLC0415 - loads in the activity that needs it

    sold = await rows(
        connection,
        "insert into diamonds.purchase_history (diamond_id, idempotency_key, request_hash, client_name, price, answer)"
        " values (%s, %s, %s, %s, %s, '{}') returning id, created_at",
        (diamond["id"], key, asked, client, diamond["retail_price"]),
    )
    answer = Purchase(
        purchase_id=sold[0]["id"],
        diamond_id=diamond["id"],
        price=diamond["retail_price"],
        reference=request.reference,
        purchased_at=sold[0]["created_at"],
    )
    await connection.execute(
        "update diamonds.purchase_history set answer = %s where id = %s",
        (Jsonb(answer.model_dump(mode="json")), answer.purchase_id),
    )
    await _close(connection, answer.diamond_id)
    await connection.execute(
        "update diamonds.diamonds set availability = 'sold', hold_id = null, hold_expires_at = 'infinity',"
        " updated_at = now() where id = %s",
        (answer.diamond_id,),
    )
    return answer


async def _first_answer(connection: AsyncConnection[Any], client: str, key: str, asked: bytes) -> Purchase | None:
    found = await rows(
        connection,
        "select request_hash, answer from diamonds.purchase_history where client_name = %s and idempotency_key = %s",
        (client, key),
    )
    if not found:
        return None
    if bytes(found[0]["request_hash"]) != asked:
        raise _reused(key)
    return Purchase.model_validate(found[0]["answer"])


async def _lock(connection: AsyncConnection[Any], diamond_id: int, *, offered: bool = True) -> dict[str, Any]:
    """The diamond, which is nobody else's until the transaction ends."""
    await connection.execute("select set_config('lock_timeout', %s, true)", (f"{LOCK_SECONDS}s",))
    # Read by a statement of its own: one that waited for the row would see the holds of the time before.
    await connection.execute("select from diamonds.diamonds where id = %s for update", (diamond_id,))
    return await _read(connection, diamond_id, offered=offered)


async def _read(connection: AsyncConnection[Any], diamond_id: int, *, offered: bool = True) -> dict[str, Any]:
    found = await rows(
        connection,
        """
        select d.id, d.status = 'active' as offered, d.retail_price,
            diamonds.availability_now(d.availability, d.hold_expires_at, d.feed_availability) as availability,
            d.availability = 'on_hold' and coalesce(d.hold_expires_at > now(), false) as held,
            d.hold_id, h.client_name as holder,
            case when d.availability = 'on_hold' then d.hold_expires_at end as held_until
        from diamonds.diamonds d left join diamonds.hold_history h on h.hold_id = d.hold_id
        where d.id = %s
        """,
        (diamond_id,),
    )
    if not found or (offered and not found[0]["offered"]):
        raise unknown(diamond_id)
    return found[0]


async def _close(connection: AsyncConnection[Any], diamond_id: int) -> None:
    """Note when the diamond's hold ended: when it expired, or now."""
    await connection.execute(
        "update diamonds.hold_history set released_at = least(expires_at, now())"
        " where diamond_id = %s and released_at is null",
        (diamond_id,),
    )


def _refuse_unless_free(diamond: dict[str, Any], client: str) -> None:
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


def _refuse_other_price(diamond: dict[str, Any], request: PurchaseRequest) -> None:
    if request.expected_price not in (None, diamond["retail_price"]):
        raise Conflict(
            f"Diamond {diamond['id']} costs {diamond['retail_price']} US dollars now.",
            code="price-changed",
            remedy="Repeat the purchase with the new price, or without one.",
        )


def _reused(key: str) -> Conflict:
    return Conflict(
        f"The idempotency key {key} was used for another purchase.",
        code="idempotency-key-reused",
        remedy="Use a new key for each purchase, and the same only to repeat one.",
    )
