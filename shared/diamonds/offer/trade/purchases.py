"""Selling a diamond, once for each of the buyer's keys."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.diamonds.offer.search.read import unknown
from shared.diamonds.offer.trade.diamond import close, lock, refuse_unless_free
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection


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


async def purchase(diamond_id: int, client: str, key: str, request: PurchaseRequest) -> tuple[Purchase, bool]:
    """Sell the diamond to the client, once for each of the client's keys; the answer, and whether it was given before.

    Raises:
        NotFound: it is not offered.
        Conflict: the key was used for something else (`idempotency-key-reused`), another holds the diamond
            (`diamond-held`), it is not available (`diamond-not-available`) or its price changed (`price-changed`).
        TransientError: others had the diamond for too long.
    """
    from psycopg.errors import UniqueViolation  # noqa: PLC0415 - loads in the activity that needs it

    request_hash = sha256(f"{diamond_id}\n{request.model_dump_json()}".encode()).digest()
    try:
        async with database() as connection:
            # The row comes first: a repeated request waits here until the first one has left its answer.
            diamond = await lock(connection, diamond_id, offered=False)
            if first := await _first_answer(connection, client, key, request_hash):
                return first, True
            if not diamond["offered"]:
                raise unknown(diamond_id)
            refuse_unless_free(diamond, client)
            _refuse_other_price(diamond, request)
            return await _sell(connection, diamond, client, request, key=key, request_hash=request_hash), False
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
    request_hash: bytes,
) -> Purchase:
    from psycopg.types.json import Jsonb  # noqa: PLC0415 - loads in the activity that needs it

    sold = await rows(
        connection,
        "insert into diamonds.purchase_history"
        " (diamond_id, idempotency_key, request_hash, client_name, price, answer, diamond)"
        " select id, %s, %s, %s, %s, '{}', to_jsonb(d) from diamonds.diamonds d where id = %s returning id, created_at",
        (key, request_hash, client, diamond["retail_price"], diamond["id"]),
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
    await close(connection, answer.diamond_id)
    await connection.execute(
        "update diamonds.diamonds set availability = 'sold', hold_id = null, hold_expires_at = 'infinity',"
        " updated_at = now() where id = %s",
        (answer.diamond_id,),
    )
    return answer


async def _first_answer(
    connection: AsyncConnection[Any], client: str, key: str, request_hash: bytes
) -> Purchase | None:
    found = await rows(
        connection,
        "select request_hash, answer from diamonds.purchase_history where client_name = %s and idempotency_key = %s",
        (client, key),
    )
    if not found:
        return None
    if bytes(found[0]["request_hash"]) != request_hash:
        raise _reused(key)
    return Purchase.model_validate(found[0]["answer"])


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
