"""Which holds and purchases stand at suppliers, and how far each is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from shared.platform.models import LazyModel
from shared.platform.stores.postgres import database, rows

TradeKind = Literal["hold", "purchase"]


class Trade(LazyModel):
    """A hold or a purchase, and what its supplier knows of it."""

    kind: TradeKind
    id: int
    diamond_id: int
    feed: str
    supplier_stone_id: str
    client: str
    made_at: datetime
    ends_at: datetime | None = Field(description="of a hold: when it ends, or has ended; null: a purchase")
    price: float | None = Field(description="of a purchase, US dollars")
    supplier_state: str = Field(
        description="ours: the feed takes none. asked, held, ordered; unknown: the answer was lost; refused, ended,"
        " not_ordered: nothing stands there any more"
    )
    supplier_id: str | None = Field(description="The supplier's name for it")
    changed_at: datetime | None = Field(description="when that was last known to change")


async def anything_open() -> bool:
    """Whether something at a supplier waits for us. Two indexes that are nearly empty answer."""
    async with database() as connection:
        found = await rows(
            connection,
            "select exists (select from diamonds.hold_history where supplier_state in ('asked', 'held', 'unknown'))"
            " or exists (select from diamonds.purchase_history where supplier_state in ('asked', 'unknown')) as open",
        )
    return found[0]["open"]


async def listed(kind: TradeKind, *, unsettled: bool, before: int | None, limit: int) -> list[Trade]:
    """The newest holds or purchases with an id below `before`; with `unsettled`, those that are asked or unknown."""
    parameters: dict[str, Any] = {"unsettled": unsettled, "before": before, "limit": limit}
    async with database() as connection:
        found = await rows(connection, _HOLDS if kind == "hold" else _PURCHASES, parameters)
    return [Trade(kind=kind, **row) for row in found]


_WHERE = """
from diamonds.{table} t join diamonds.diamonds d on d.id = t.diamond_id
where (not %(unsettled)s or t.supplier_state in ('asked', 'unknown'))
    and (%(before)s::bigint is null or t.id < %(before)s)
order by t.id desc limit %(limit)s
"""
_COLUMNS = """
select t.id, t.diamond_id, d.feed, d.supplier_stone_id, t.client_name as client, t.created_at as made_at,
    t.supplier_state, t.supplier_changed_at as changed_at,"""
_HOLDS = (
    f"{_COLUMNS} least(t.expires_at, t.released_at) as ends_at, null as price, t.supplier_hold_id as supplier_id"
    + (_WHERE.format(table="hold_history"))
)
_PURCHASES = f"{_COLUMNS} null as ends_at, t.price::float8, t.supplier_order_id as supplier_id" + (
    _WHERE.format(table="purchase_history")
)
