"""Routes for the diamonds' clients: search, read one, hold it, buy it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

import azure.functions as func
from pydantic import Field

from shared.diamonds.offer import search, trade
from shared.platform.access.auth import Caller
from shared.platform.cursors import sealed
from shared.platform.http import Reply, Routes
from shared.platform.http.answers import HEADERS
from shared.platform.models import LazyModel
from triggers.diamonds.callers import READ, TRADE

routes = Routes(tag="diamonds")

EXPORT = "/api/v2/diamonds.csv"
DiamondId = Annotated[int, Field(ge=1, lt=2**63)]


class IdempotencyKey(LazyModel):
    """The caller's name for one purchase, by which a repeated request is recognised."""

    x_idempotency_key: str = Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")


@routes.get("/api/v2/diamonds", needs=READ, summary="Search the diamonds on offer")
async def diamonds_search(query: search.Search) -> search.SearchPage:
    """By page numbers, or by `cursor`, which does not get slower with the depth. Sold and held diamonds are listed."""
    return await search.find(query)


@routes.get(EXPORT, needs=READ, summary="The diamonds on offer as CSV", produces="text/csv")
async def diamonds_export(query: search.Export, request: func.HttpRequest) -> func.HttpResponse:
    """As in the search. Where more follow, the header `Link` leads to them (rel=next), without the line of names."""
    text, following = await search.write_csv(query)
    headers = HEADERS | {"Content-Disposition": 'attachment; filename="diamonds.csv"'}
    if following:
        filters = [(name, value) for name, value in parse_qsl(urlsplit(request.url).query) if name != "cursor"]
        headers["Link"] = (
            f'<{EXPORT}?{urlencode([*filters, ("cursor", sealed(following, diamonds_export.__name__))])}>; rel="next"'
        )
    return func.HttpResponse(text, headers=headers, mimetype="text/csv")


@routes.get("/api/v2/diamonds/{diamond_id}", needs=READ, summary="One diamond on offer")
async def diamonds_read(diamond_id: DiamondId) -> search.Diamond:
    return await search.read_diamond(diamond_id)


@routes.post("/api/v2/diamonds/{diamond_id}/availability", needs=READ, summary="Can the diamond be bought now?")
async def diamonds_availability(diamond_id: DiamondId, caller: Caller) -> trade.Availability:
    """Its supplier is asked where the feed can be; `ours_alone` says that nobody was."""
    return await trade.availability(diamond_id, caller.name)


@routes.post(
    "/api/v2/diamonds/{diamond_id}/hold",
    needs=TRADE,
    summary="Keep the diamond for the caller",
    status=201,
    also={200: trade.Hold},
)
async def diamonds_hold(
    diamond_id: DiamondId,
    caller: Caller,
    body: trade.HoldRequest = trade.HoldRequest.model_construct(),  # noqa: B008 - nobody changes it
) -> Reply[trade.Hold]:
    """201 for a new hold; 200 when the caller held it already, then it lasts longer; 409 when another holds it.

    Where the feed takes holds, the diamond is held at the supplier, too; `ours_alone` says that it is not.
    """
    held = await trade.hold(diamond_id, caller.name, body)
    return Reply(held, status=200 if held.renewed else 201)


@routes.delete("/api/v2/diamonds/{diamond_id}/hold", needs=TRADE, summary="Give up the caller's hold of the diamond")
async def diamonds_release(diamond_id: DiamondId, caller: Caller) -> trade.Availability:
    """404 when the caller holds it not, or no longer; 409 when another does. Gives how the diamond then stands."""
    return await trade.release(diamond_id, caller.name)


@routes.post(
    "/api/v2/diamonds/{diamond_id}/purchase",
    needs=TRADE,
    summary="Buy the diamond",
    status=201,
    also={202: trade.Purchase},
)
async def diamonds_purchase(
    diamond_id: DiamondId,
    headers: IdempotencyKey,
    caller: Caller,
    body: trade.PurchaseRequest = trade.PurchaseRequest.model_construct(),  # noqa: B008 - nobody changes it
) -> Reply[trade.Purchase]:
    """The same key and body give the first answer again, marked `Idempotency-Replayed`; another body is a 409.

    Where the feed takes orders, the diamond is ordered at the supplier; 202: it is not known yet if it took the order.
    """
    bought, replayed = await trade.purchase(diamond_id, caller.name, headers.x_idempotency_key, body)
    replayed_headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return Reply(bought, status=201 if bought.settled else 202, headers=replayed_headers)
