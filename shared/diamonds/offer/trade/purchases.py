"""Selling a diamond, once for each of the buyer's keys."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field

from shared.diamonds.ingestion.suppliers import trades
from shared.diamonds.offer.search.read import unknown_diamond
from shared.diamonds.offer.trade import orders
from shared.diamonds.offer.trade.diamond import close, lock, refuse_unless_free, refuse_without_price
from shared.platform.errors import Conflict
from shared.platform.models import LazyModel
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection


class PurchaseRequest(LazyModel):
    """What the caller agrees to."""

    model_config = ConfigDict(extra="forbid")
    expected_price: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)] | None = Field(
        default=None, description="US dollars; refused if the retail price is another by now"
    )
    reference: str | None = Field(default=None, max_length=200, description="The caller's own name for the order")


class OrderAtSupplier(LazyModel):
    """What became of our order at the supplier."""

    state: Literal["asked", "ordered", "unknown"] = Field(
        description="asked: the supplier has not answered yet; unknown: its answer was lost, and the operator finds out"
    )
    number: str = Field(description="Our number, which the supplier shows with the order")
    order_id: str | None = Field(description="The supplier's name for it")


class Purchase(LazyModel):
    """The diamond is sold to the caller."""

    purchase_id: int
    diamond_id: int
    price: float = Field(description="US dollars")
    reference: str | None
    purchased_at: datetime
    ours_alone: bool = Field(
        default=True,
        description="true: the feed takes no orders, so that the supplier is not told: the operator orders by hand",
    )
    supplier: OrderAtSupplier | None = Field(
        default=None, description="null where the purchase is ours alone; the same request again says how it stands"
    )

    @property
    def settled(self) -> bool:
        """Whether nothing about it is open at the supplier."""
        return self.supplier is None or self.supplier.state == "ordered"


async def purchase(diamond_id: int, client: str, key: str, request: PurchaseRequest) -> tuple[Purchase, bool]:
    """Sell the diamond to the client, once for each of the client's keys; the answer, and whether it was sold before.

    Where the feed takes orders, it is ordered at the supplier, at most once.

    Raises:
        NotFound: it is not offered.
        Conflict: the key was used for something else (`idempotency-key-reused`), another holds the diamond
            (`diamond-held`), it is not available or has no price (`diamond-not-available`), its price changed
            (`price-changed`), the sale was undone (`purchase-undone`) or as `orders.place` says.
        TransientError: others had the diamond for too long, or the supplier was not reached.
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
                raise unknown_diamond(diamond_id)
            refuse_unless_free(diamond, client)
            if not trades(diamond["feed"]):  # else the supplier says its price now, when it takes the order
                refuse_without_price(diamond)
            _refuse_other_price(diamond, request)
            sold = await _sell(connection, diamond, client, request, key=key, request_hash=request_hash)
    except UniqueViolation:
        # At the same moment the key bought another diamond; were it this one, the row would have been waited for.
        raise _reused(key) from None
    if not sold.ours_alone:
        await orders.place(sold.purchase_id, diamond, request.reference)
        sold = await _now(sold.purchase_id)
    return sold, False


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

    ours_alone = not trades(diamond["feed"])
    sold = await rows(
        connection,
        "insert into diamonds.purchase_history (diamond_id, idempotency_key, request_hash, client_name, price, answer,"
        " diamond, supplier_state, supplier_changed_at)"
        " select id, %s, %s, %s, %s, '{}', to_jsonb(d), %s, now() from diamonds.diamonds d where id = %s"
        " returning id, created_at",
        (key, request_hash, client, diamond["retail_price"], "ours" if ours_alone else "asked", diamond["id"]),
    )
    answer = Purchase(
        purchase_id=sold[0]["id"],
        diamond_id=diamond["id"],
        price=diamond["retail_price"],
        reference=request.reference,
        purchased_at=sold[0]["created_at"],
        ours_alone=ours_alone,
        supplier=None,
    )
    await connection.execute(
        "update diamonds.purchase_history set answer = %s where id = %s",
        (Jsonb(answer.model_dump(mode="json", exclude={"supplier"})), answer.purchase_id),
    )
    if ours_alone:  # else the hold stays until the supplier has taken the order
        await close(connection, answer.diamond_id)
    await connection.execute(
        "update diamonds.diamonds set availability = 'sold', hold_id = case when %s then null else hold_id end,"
        " hold_expires_at = 'infinity', updated_at = now() where id = %s",
        (ours_alone, answer.diamond_id),
    )
    return answer


async def _first_answer(
    connection: AsyncConnection[Any], client: str, key: str, request_hash: bytes
) -> Purchase | None:
    found = await rows(
        connection,
        f"select request_hash, {_ANSWER} from diamonds.purchase_history"  # noqa: S608 - a constant
        " where client_name = %s and idempotency_key = %s",
        (client, key),
    )
    if not found:
        return None
    if bytes(found[0]["request_hash"]) != request_hash:
        raise _reused(key)
    return _answer(found[0])


_ANSWER = "id, answer, supplier_state, supplier_order_id"


async def _now(purchase_id: int) -> Purchase:
    async with database() as connection:
        found = await rows(
            connection,
            f"select {_ANSWER} from diamonds.purchase_history where id = %s",  # noqa: S608 - a constant
            (purchase_id,),
        )
    return _answer(found[0])


def _answer(row: dict[str, Any]) -> Purchase:
    """The stored answer, with how the order at the supplier stands by now."""
    if row["supplier_state"] == "not_ordered":
        raise Conflict(
            f"Purchase {row['id']} was undone: the supplier never took the order.",
            code="purchase-undone",
            remedy="Buy it again with a new key, if it is available.",
        )
    bought = Purchase.model_validate(row["answer"])
    if bought.ours_alone:
        return bought
    order = OrderAtSupplier(
        state=row["supplier_state"], number=orders.number(row["id"]), order_id=row["supplier_order_id"]
    )
    return bought.model_copy(update={"supplier": order})


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
