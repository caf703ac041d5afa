"""A second supplier's feed over the same stones, of quite another shape: plain JSON, page tokens, prices in dollars."""

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.supplier.catalogue import Catalogue, Condition, Row, stone_id, within
from local.supplier.dataset import fancy
from local.supplier.faults import FaultName, Faults

PAGE_LIMIT = 200
_SHAPE_CODES = {"ROUND": "RB", "PRINCESS": "PR", "OVAL": "OV", "CUSHION": "CU", "EMERALD": "EM", "PEAR": "PS"}


Admit = Callable[[str, bytes], Awaitable[Response | None]]
"""Counts a request by its operation; answers it when the limit or a fault says so (the bytes identify it to faults)."""


class BadRequest(Exception):
    """A parameter that cannot be understood; the message names it."""


_Answer = Callable[[Request, bytes], dict[str, Any]]


class RestFeed:
    """Routes below /rest/v1, for holders of the API key."""

    def __init__(self, catalogue: Catalogue, faults: Faults, admit: Admit, api_key: str) -> None:
        self._catalogue = catalogue
        self._faults = faults
        self._admit = admit
        self._api_key = api_key

    def routes(self) -> list[Route]:
        """The routes, to be mounted at the root."""
        return [
            Route("/rest/v1/stones", self._stones, methods=["GET"]),
            Route("/rest/v1/stones/count", self._count, methods=["GET"]),
        ]

    async def _stones(self, request: Request) -> Response:
        return await self._answer(request, "rest_stones", self._page)

    async def _count(self, request: Request) -> Response:
        return await self._answer(request, "rest_count", self._counted)

    async def _answer(self, request: Request, operation: str, answer: _Answer) -> Response:
        request_number = self._faults.number(str(request.url))
        if refusal := await self._admit(operation, request_number):
            return refusal
        key = request.headers.get("X-Api-Key", "")
        if not secrets.compare_digest(key.encode(), self._api_key.encode()):
            return JSONResponse({"error": "invalid_api_key", "detail": "Send the key as X-Api-Key."}, 401)
        try:
            return JSONResponse(answer(request, request_number))
        except BadRequest as error:
            return JSONResponse({"error": "bad_request", "detail": str(error)}, 400)

    def _counted(self, request: Request, _request_number: bytes) -> dict[str, Any]:
        return {"count": self._catalogue.count(self._conditions(request))}

    def _page(self, request: Request, request_number: bytes) -> dict[str, Any]:
        size = _number(request, "page_size")
        if size is not None and not 1 <= size <= PAGE_LIMIT:
            raise BadRequest(f"page_size must be 1 to {PAGE_LIMIT}")
        limit = int(size or 100)
        after = _read_token(request.query_params.get("page_token"))
        rows = self._catalogue.after(self._conditions(request), after, limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        if len(rows) > 1 and self._faults.strikes(FaultName.SHORT_PAGES, request_number):
            more, rows = True, rows[: len(rows) // 2]
        return {
            "stones": [self._stone(row) for row in rows],
            "next_page_token": _token(rows[-1].n) if more else None,
        }

    def _conditions(self, request: Request) -> list[Condition]:
        prices = within("price", _number(request, "min_usd"), _number(request, "max_usd"))
        return [*prices, *self._catalogue.changed(_moment(request, "modified_from"), _moment(request, "modified_to"))]

    def _stone(self, row: Row) -> dict[str, Any]:
        stone = self._catalogue.stones[row.source]
        own = fancy(row.n)
        mm = f"{stone.length:.2f} x {stone.width:.2f} x {stone.depth:.2f}"
        return {
            "sku": f"ST{row.n:09d}",
            "offer_ref": f"OF-{stone_id(row.n)}",
            "cut_shape": _SHAPE_CODES.get(stone.shape, stone.shape[:2]),
            "weight_ct": stone.carats,
            "colour": "fancy" if own else stone.color,
            "own_colour": dict(zip(("hue", "strength", "tint"), own, strict=True)) if own else None,
            "purity": stone.clarity,
            "make": {"cut": stone.cut, "polish": stone.polish, "symmetry": stone.symmetry},
            "fluorescence": stone.fluorescence,
            "origin": "laboratory" if stone.lab_grown else "natural",
            "usd_price": f"{row.price:.2f}",
            "measurements_mm": mm if stone.length else None,
            "proportions": {"depth_pct": stone.depth_percentage, "table_pct": stone.table},
            "report": {"issuer": stone.lab, "number": f"R{row.n:08d}"},
            "stock": {"AVAILABLE": "in_stock", "ON_HOLD": "reserved", "MEMO": "on_memo"}[stone.availability],
            "photo_url": f"https://photos.supplier.invalid/{row.n}.jpg" if stone.has_image else None,
            "vendor": stone.supplier,
            "modified": row.updated,
        }


def _number(request: Request, name: str) -> float | None:
    text = request.query_params.get(name)
    try:
        return None if text is None else float(text)
    except ValueError:
        raise BadRequest(f"{name} must be a number") from None


def _moment(request: Request, name: str) -> float | None:
    text = request.query_params.get(name)
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{name} must be ISO 8601") from None
    if moment is not None and moment.tzinfo is None:
        raise BadRequest(f"{name} must have an offset, such as Z")
    return moment.timestamp() if moment else None


def _token(n: int) -> str:
    return base64.urlsafe_b64encode(b"after:%d" % n).decode()


def _read_token(token: str | None) -> int:
    if token is None:
        return -1
    try:
        return int(base64.urlsafe_b64decode(token).removeprefix(b"after:"))
    except (ValueError, binascii.Error):
        raise BadRequest("page_token is not one that this feed gave out") from None
