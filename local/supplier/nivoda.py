"""Nivoda's GraphQL API: sessions, diamonds by query, their count, holds and orders."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, cast

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLResolveInfo

from local.supplier.catalogue import Catalogue, Condition, Order, Row, one_of, stone_id, stone_number, within
from local.supplier.dataset import Stone, fancy, mix
from local.supplier.execution import Record, Request, execute
from local.supplier.faults import FaultName, Faults
from local.supplier.orders import Hold, Orders, Refused

PAGE_LIMIT = 50
TOKEN_LIFE_SECONDS = 6 * 3600.0
PriceUnit = Literal["cents", "dollars"]

_UNAUTHENTICATED = {"code": "UNAUTHENTICATED"}
_BAD_INPUT = {"code": "BAD_USER_INPUT"}
_MEDIA = "https://media.supplier.invalid"


class Nivoda:
    """The API over a catalogue, for one account."""

    def __init__(
        self,
        catalogue: Catalogue,
        faults: Faults,
        *,
        username: str = "manifold",
        password: str = "manifold",  # noqa: S107 - the stand-in's well-known account
        price_unit: PriceUnit = "cents",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._catalogue = catalogue
        self._faults = faults
        self._account = (username, password)
        self._factor = 100 if price_unit == "cents" else 1
        self._clock = clock
        self._sessions: dict[str, float] = {}
        self.orders = Orders(clock)

    def execute(self, document: DocumentNode, body: Request, token: str, request: bytes) -> ExecutionResult:
        """Answer a checked document; `request` identifies it to the faults."""
        root: Record = {
            "authenticate": {"username_and_password": self._authenticate},
            "diamonds_by_query": self._by_query,
            "diamonds_by_query_count": self._count,
            "create_hold": self._create_hold,
            "cancel_hold": self._cancel_hold,
            "create_order": self._create_order,
        }
        return execute(document, body, root, (token, request))

    def expire_sessions(self) -> None:
        """End all sessions: every token given out so far is refused from now on."""
        self._sessions.clear()

    def _authenticate(self, _info: GraphQLResolveInfo[Any], username: str, password: str) -> Record:
        presented, right = f"{username}\n{password}".encode(), "\n".join(self._account).encode()
        if not secrets.compare_digest(presented, right):
            raise GraphQLError("Invalid username or password", extensions={"code": "UNAUTHENTICATED"})
        token = secrets.token_urlsafe(24)
        self._sessions[token] = self._clock() + TOKEN_LIFE_SECONDS
        return {"token": token}

    def _require_session(self, info: GraphQLResolveInfo[Any]) -> bytes:
        token, request = cast("tuple[str, bytes]", info.context)
        if self._faults.strikes(FaultName.EXPIRED_TOKEN, request):
            self._sessions.pop(token, None)
        if self._sessions.get(token, 0.0) <= self._clock():
            raise GraphQLError("Not authenticated: the token is missing, wrong or expired", extensions=_UNAUTHENTICATED)
        return request

    def _count(self, info: GraphQLResolveInfo[Any], query: Record | None = None) -> int:
        self._require_session(info)
        return self._catalogue.count(self._conditions(query or {}))

    def _by_query(
        self,
        info: GraphQLResolveInfo[Any],
        query: Record | None = None,
        offset: int | None = 0,
        limit: int | None = PAGE_LIMIT,
        order: Record | None = None,
    ) -> Record:
        request = self._require_session(info)
        offset, limit, order = offset or 0, PAGE_LIMIT if limit is None else limit, order or {}
        if not 0 < limit <= PAGE_LIMIT or offset < 0:
            raise GraphQLError(f"limit must be 1 to {PAGE_LIMIT} and offset 0 or more", extensions=_BAD_INPUT)
        by = cast("Order", order.get("type", "none"))
        descending = order.get("direction") == "DESC"
        rows, total = self._catalogue.page(self._conditions(query or {}), by, descending, offset, limit)
        if len(rows) > 1 and self._faults.strikes(FaultName.SHORT_PAGES, request):
            rows = rows[: 1 + int(self._faults.draw("length", request) * (len(rows) - 1))]
        if self._faults.strikes(FaultName.TOTAL_COUNT, request):
            total = max(0, total - offset)  # "rows remaining", as the vendor has been seen to say
        return {"items": [self._offer(row) for row in rows], "total_count": total}

    def _create_hold(self, info: GraphQLResolveInfo[Any], ProductId: str, ProductType: str) -> Record:  # noqa: N803, ARG002 - the schema's names
        self._require_session(info)
        stone, listed = self._listed(ProductId)
        hold = self.orders.hold(stone, listed)
        self._catalogue.touch(stone)
        return {"id": None, "denied": True, "until": None} if hold is None else _hold(hold)

    def _cancel_hold(self, info: GraphQLResolveInfo[Any], hold_id: str) -> Record:
        self._require_session(info)
        try:
            hold = self.orders.cancel(hold_id)
        except Refused as reason:
            raise GraphQLError(str(reason), extensions=_BAD_INPUT) from None
        self._catalogue.touch(hold.stone)
        return _hold(hold)

    def _create_order(self, info: GraphQLResolveInfo[Any], items: list[Record]) -> str:
        self._require_session(info)
        if len(items) != 1:
            raise GraphQLError("One item an order", extensions=_BAD_INPUT)
        item = items[0]
        stone, listed = self._listed(item["offerId"].removeprefix("DIAMOND/"))
        details = [item.get(name) or "" for name in ("customer_order_number", "customer_comment", "destinationId")]
        try:
            order = self.orders.order(stone, listed, *details)
        except Refused as reason:
            raise GraphQLError(str(reason), extensions=_BAD_INPUT) from None
        self._catalogue.touch(stone)
        return order.id

    def _listed(self, diamond_id: str) -> tuple[int, str]:
        """The number of a stone on offer, and how available the catalogue says it is."""
        stone = stone_number(diamond_id)
        found = [] if stone is None else self._catalogue.rows([stone])
        if not found:
            raise GraphQLError("Diamond not found", extensions=_BAD_INPUT)
        return found[0].n, self._catalogue.stones[found[0].source].availability

    def _conditions(self, query: Record) -> list[Condition]:
        found: list[Condition] = []
        if (prices := query.get("dollar_value")) is not None:
            found += within("price", prices.get("from"), prices.get("to"))
        if (per_carat := query.get("dollar_per_carat")) is not None:
            found += within("price / carats", per_carat.get("from"), per_carat.get("to"))
        if (changed := query.get("updated")) is not None:
            found += self._catalogue.changed(changed.get("from"), changed.get("to"))
        if (sizes := query.get("sizes")) is not None:
            found.append(_any_size(sizes))
        for name, column in (("shapes", "shape"), ("color", "color"), ("availability", "availability")):
            if query.get(name) is not None:
                found.append(one_of(column, query[name]))
        for name, column in (("labgrown", "lab_grown"), ("has_image", "has_image"), ("has_v360", "has_v360")):
            if query.get(name) is not None:
                found.append(Condition(f"{column} = ?", (int(query[name]),)))
        if (ids := query.get("ids")) is not None:
            found.append(one_of("n", [n for n in map(stone_number, ids) if n is not None]))
        return found

    def _offer(self, row: Row) -> Record:
        stone = self._catalogue.stones[row.source]
        diamond_id = stone_id(row.n)
        bits = mix(row.n + 7)
        availability = stone.availability
        hold = f"HOLD/{diamond_id}" if availability == "ON_HOLD" else None
        if row.n in self.orders.stones:
            availability, held = self.orders.availability(row.n, availability), self.orders.held(row.n)
            hold = held.id if held else hold
        certificate = _certificate(stone, row)
        if self._faults.strikes(FaultName.UNMAPPABLE, row.n.to_bytes(8, "big")):
            certificate |= {"carats": None, "shape": None}
        return {
            "id": f"DIAMOND/{diamond_id}",
            "price": round(row.price * self._factor),
            "discount": round(-(bits % 4500) / 100, 2),
            "markup_price": round(row.price * 1.1) * self._factor,
            "diamond": {
                "id": diamond_id,
                "availability": availability,
                "HoldId": hold,
                "supplierStockId": f"{stone.supplier[:3].upper()}-{row.n:07d}",
                "image": f"{_MEDIA}/{diamond_id}.jpg" if stone.has_image else None,
                "video": f"{_MEDIA}/{diamond_id}/v360" if stone.has_video else None,
                "supplier_video_link": None,
                "eyeClean": stone.eye_clean,
                "brown": stone.tint,
                "green": "NONE",
                "milky": stone.tint,
                "createdAt": row.created,
                "updatedAt": row.updated,
                "supplier": {"name": stone.supplier},
                "certificate": certificate,
            },
        }


def _hold(hold: Hold) -> Record:
    return {"id": hold.id, "denied": False, "until": datetime.fromtimestamp(hold.until, UTC).isoformat()}


def _certificate(stone: Stone, row: Row) -> Record:
    number = 1_000_000_000 + mix(row.n + 11)
    return {
        "lab": stone.lab,
        "certNumber": str(number),
        "shape": stone.shape,
        "carats": stone.carats,
        "clarity": stone.clarity,
        "cut": stone.cut,
        "polish": stone.polish,
        "symmetry": stone.symmetry,
        "floInt": stone.fluorescence,
        "floCol": None if stone.fluorescence == "NON" else "BLUE",
        "length": stone.length,
        "width": stone.width,
        "depth": stone.depth,
        "depthPercentage": stone.depth_percentage,
        "table": stone.table,
        "labgrown": stone.lab_grown,
        "labgrown_type": ("CVD", "HPHT")[mix(row.n) >> 31] if stone.lab_grown else None,
        "treated": False,
        "pdfUrl": f"{_MEDIA}/certificates/{number}.pdf",
        **_color(stone, row),
    }


def _color(stone: Stone, row: Row) -> Record:
    """The grade of a white stone; a colour of its own has none."""
    own = fancy(row.n)
    hue, intensity, overtone = own or (None, None, None)
    return {
        "color": "FANCY" if own else stone.color,
        "f_color": hue,
        "f_intensity": intensity,
        "f_overtone": overtone,
    }


def _any_size(sizes: list[Record]) -> Condition:
    """One of the ranges of carats."""
    ranges = [within("carats", size.get("from"), size.get("to")) for size in sizes]
    sql = " OR ".join("(" + (" AND ".join(c.sql for c in ends) or "1") + ")" for ends in ranges)
    return Condition(f"({sql or '0'})", tuple(v for ends in ranges for c in ends for v in c.values))
