"""Routes for the operator of the shop: what is held and sold, how it stands at the suppliers, and settling an order."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from shared.diamonds.offer import trade
from shared.platform.cursors import OPENED
from shared.platform.http import Page, Pagination, Routes
from shared.platform.models import LazyModel
from triggers.diamonds.callers import RUN

routes = Routes(tag="diamonds")

PurchaseId = Annotated[int, Field(ge=1, lt=2**63)]


class TradesQuery(LazyModel):
    """Which holds or purchases to list."""

    model_config = ConfigDict(extra="forbid")
    kind: trade.TradeKind = "purchase"
    unsettled: bool = Field(
        default=False, description="Only those whose supplier has not answered, or whose answer was lost"
    )
    limit: int = Field(default=50, ge=1, le=100, description="Most of one page")
    cursor: Annotated[PurchaseId, OPENED] | None = Field(
        default=None, description="`pagination.next` of the page before"
    )


class OrderFound(LazyModel):
    """What a person found out at the supplier about an order whose answer was lost."""

    model_config = ConfigDict(extra="forbid")
    purchase_id: PurchaseId
    order_id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")] | None = Field(
        description="The supplier's name for it; null: it never took the order, and the sale is undone"
    )


@routes.get("/api/v2/analytics/trades", needs=RUN, summary="Holds or purchases, and how they stand at the suppliers")
async def diamonds_trades_list(query: TradesQuery) -> Page[trade.Trade]:
    """The newest first."""
    page = await trade.listed(query.kind, unsettled=query.unsettled, before=query.cursor, limit=query.limit)
    following = str(page[-1].id) if len(page) == query.limit else None
    return Page(data=page, pagination=Pagination(limit=query.limit, next=following))


@routes.post("/api/v2/triggers/resolve-order", needs=RUN, summary="Settle an order whose answer was lost", status=204)
async def diamonds_resolve_order(body: OrderFound) -> None:
    """409 unless the order is unknown."""
    await trade.resolve(body.purchase_id, body.order_id)
