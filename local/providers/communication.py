"""Azure Communication Services Email: takes mails under an Operation-Id, and says what became of each operation."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

API = "2025-09-01"
OK, BROKEN = 202, 500
KEY = base64.b64encode(b"the access key of the stand-in").decode()


@dataclass
class Communication:
    """What has arrived, and what goes wrong.

    Attributes:
        mails: those that were accepted, by operation: one with a known Operation-Id is not accepted again.
        operation_ids: of all requests to send, in their order.
        look_ups: how often it was asked what became of an operation.
        faults: of the next requests: a status, which is answered after the mail was accepted if it is 5xx; None
            leaves the request without an answer for as long as `silence_seconds`.
        token: of an identity, which it takes in place of a signature; "": none.
        hidden: operations are not shown, as if the mail had not been seen yet.
    """

    mails: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    statuses: dict[str, str] = field(default_factory=dict[str, str])
    operation_ids: list[str] = field(default_factory=list[str])
    look_ups: int = 0
    faults: list[int | None] = field(default_factory=list[int | None])
    silence_seconds: float = 2
    token: str = ""
    hidden: bool = False

    def app(self) -> Starlette:
        """Its HTTP side."""
        return Starlette(
            routes=[
                Route("/emails:send", self._send, methods=["POST"]),
                Route("/emails/operations/{id}", self._operation, methods=["GET"]),
            ]
        )

    async def _send(self, request: Request) -> Response:
        body = await request.body()
        if refused := self._refused(request, body):
            return refused
        mail = await request.json()
        if not {"senderAddress", "content", "recipients"} <= mail.keys():
            return _error(400, "InvalidRequestBody")
        operation = request.headers.get("operation-id") or str(uuid4())
        self.operation_ids.append(operation)
        fault = self.faults.pop(0) if self.faults else OK
        if fault is None or fault == OK or fault >= BROKEN:
            self.mails.setdefault(str(UUID(operation)), mail)
        if fault is None:
            await asyncio.sleep(self.silence_seconds)
        elif fault != OK:
            return _error(fault, "StandIn")
        location = f"{request.base_url}emails/operations/{operation}?api-version={API}"
        return JSONResponse({"id": operation, "status": "Running"}, OK, {"Operation-Location": location})

    async def _operation(self, request: Request) -> Response:
        if refused := self._refused(request, b""):
            return refused
        self.look_ups += 1
        operation = request.path_params["id"]
        if self.hidden or operation not in self.mails:
            return _error(404, "NotFound")
        status = self.statuses.get(operation, "Succeeded")
        failed = {"error": {"code": "EmailDropped", "message": "The mail was dropped."}} if status == "Failed" else {}
        return JSONResponse({"id": operation, "status": status, **failed})

    def _refused(self, request: Request, body: bytes) -> Response | None:
        if request.query_params.get("api-version") != API:
            return _error(400, "UnsupportedApiVersion")
        shown = request.headers.get("authorization", "")
        bearer = bool(self.token) and hmac.compare_digest(shown, f"Bearer {self.token}")
        return None if bearer or _signed(request, body) else _error(401, "Denied")


def _signed(request: Request, body: bytes) -> bool:
    """Whether the request is signed with the access key, as Communication Services asks for."""
    given = request.headers
    content = base64.b64encode(hashlib.sha256(body).digest()).decode()
    target = f"{request.url.path}?{request.url.query}"
    text = f"{request.method}\n{target}\n{given.get('x-ms-date')};{given.get('host')};{content}"
    signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), text.encode(), "sha256")).decode()
    expected = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
    return hmac.compare_digest(given.get("authorization", ""), expected)


def _error(status: int, code: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": f"The stand-in answers {status}."}}, status)
