"""Resend: takes mails once for each Idempotency-Key, and shows mails that it has received."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

OK, BROKEN = 200, 500
KEY = "re_stand-in"


@dataclass
class Resend:
    """What has arrived, and what goes wrong.

    Attributes:
        mails: those that were accepted, by idempotency key.
        requests: how many there were to send.
        faults: statuses of the next requests, answered after the mail was accepted if 5xx.
        received: mails that came in, by id, as they came over the wire.
        raw: whether such a mail is shown as it came, beside its parts.
        fetched: how often one was asked for.
    """

    mails: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    requests: int = 0
    faults: list[int] = field(default_factory=list[int])
    received: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    raw: dict[str, bytes] = field(default_factory=dict[str, bytes])
    fetched: int = 0

    def app(self) -> Starlette:
        """Its HTTP side."""
        return Starlette(
            routes=[
                Route("/emails", self._send, methods=["POST"]),
                Route("/emails/receiving/{id}", self._received, methods=["GET"]),
                Route("/raw/{id}", self._raw, methods=["GET"]),
            ]
        )

    async def _send(self, request: Request) -> Response:
        if not _knows_key(request):
            return _error(401, "missing_api_key")
        self.requests += 1
        mail = await request.json()
        key = request.headers.get("idempotency-key") or str(uuid4())
        fault = self.faults.pop(0) if self.faults else OK
        known = self.mails.get(key)
        if known is not None and {**known, "id": None} != {**mail, "id": None}:
            return _error(409, "invalid_idempotent_request")
        if known is None and (fault == OK or fault >= BROKEN):
            known = self.mails[key] = {**mail, "id": str(uuid4())}
        if fault != OK or known is None:
            return _error(fault, "stand_in")
        return JSONResponse({"id": known["id"]})

    async def _received(self, request: Request) -> Response:
        if not _knows_key(request):
            return _error(401, "missing_api_key")
        self.fetched += 1
        mail = self.received.get(request.path_params["id"])
        if mail is None:
            return _error(404, "not_found")
        raw = request.path_params["id"] in self.raw
        url = {"download_url": f"{request.base_url}raw/{request.path_params['id']}"} if raw else None
        return JSONResponse({"object": "email", **mail, "raw": url})

    async def _raw(self, request: Request) -> Response:
        found = self.raw.get(request.path_params["id"])
        return Response(found, media_type="message/rfc822") if found is not None else _error(404, "not_found")


def _knows_key(request: Request) -> bool:
    return hmac.compare_digest(request.headers.get("authorization", ""), f"Bearer {KEY}")


def _error(status: int, name: str) -> Response:
    return JSONResponse({"statusCode": status, "name": name, "message": f"The stand-in answers {status}."}, status)
