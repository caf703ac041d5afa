"""Nivoda's GraphQL API: sessions, diamonds by query, and their count."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, Literal, cast

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLResolveInfo

from local.supplier.catalogue import Catalogue, Condition, Order, Row, one_of, stone_id, stone_number, within
from local.supplier.dataset import Stone, mix
from local.supplier.execution import Record, Request, execute
from local.supplier.faults import FaultName, Faults

PAGE_LIMIT = 50
TOKEN_LIFE_S = 6 * 3600.0
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

    def execute(self, document: DocumentNode, asked: Request, token: str, request: bytes) -> ExecutionResult:
        """Answer a checked document; `request` identifies it to the faults."""
        root: Record = {
            "authenticate": {"username_and_password": self._authenticate},
            "diamonds_by_query": self._by_query,
            "diamonds_by_query_count": self._count,
        }
        return execute(document, asked, root, (token, request))

    def expire_sessions(self) -> None:
        """End all sessions: every token given out so far is refused from now on."""
        self._sessions.clear()

    def _authenticate(self, _info: GraphQLResolveInfo[Any], username: str, password: str) -> Record:
        given, right = f"{username}\n{password}".encode(), "\n".join(self._account).encode()
        if not secrets.compare_digest(given, right):
            raise GraphQLError("Invalid username or password", extensions={"code": "UNAUTHENTICATED"})
        token = secrets.token_urlsafe(24)
        self._sessions[token] = self._clock() + TOKEN_LIFE_S
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
                "availability": stone.availability,
                "HoldId": f"HOLD/{diamond_id}" if stone.availability == "ON_HOLD" else None,
                "supplierStockId": f"{stone.supplier[:3].upper()}-{row.n:07d}",
                "image": f"{_MEDIA}/{diamond_id}.jpg" if stone.has_image else None,
                "video": f"{_MEDIA}/{diamond_id}/v360" if stone.has_video else None,
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


def _certificate(stone: Stone, row: Row) -> Record:
    return {
        "lab": stone.lab,
        "certNumber": f"{1_000_000_000 + mix(row.n + 11)}",
        "shape": stone.shape,
        "carats": stone.carats,
        "color": stone.color,
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
    }


def _any_size(sizes: list[Record]) -> Condition:
    """One of the ranges of carats."""
    ranges = [within("carats", size.get("from"), size.get("to")) for size in sizes]
    sql = " OR ".join("(" + (" AND ".join(c.sql for c in ends) or "1") + ")" for ends in ranges)
    return Condition(f"({sql or '0'})", tuple(v for ends in ranges for c in ends for v in c.values))
