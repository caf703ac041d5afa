"""Requests as the handlers see them, their answers, and the headers that every answer has."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.cosmos.errors import BadRequestError, CosmosError
from local.cosmos.json_types import is_object

MAX_BODY = 2 * 1024 * 1024
"""Bytes of a document or a batch."""
READ_CHARGE = 1.0
"""Request units of a point read, and what an answer says unless it says more."""


class Call:
    """One request, with its body read. `headers` names are in lower case."""

    def __init__(self, request: Request, body: bytes) -> None:
        self.method = request.method
        self.path: dict[str, str] = request.path_params
        self.headers: Mapping[str, str] = request.headers
        self.host = request.headers.get("host", "localhost")
        self._body = body

    def says(self, header: str) -> bool:
        return self.headers.get(header, "").lower() == "true"

    @property
    def is_query(self) -> bool:
        content_type = self.headers.get("content-type", "")
        return self.says("x-ms-documentdb-isquery") or content_type.startswith("application/query+json")

    def json(self) -> Any:
        try:
            return json.loads(self._body, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise BadRequestError(
                "The request payload is invalid. Ensure to provide a valid request payload."
            ) from error

    def object(self) -> dict[str, Any]:
        body = self.json()
        if not is_object(body):
            raise BadRequestError("The request payload is invalid: an object is needed.")
        return body


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number.")


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is JSON, or None for none. `etag` and `lsn` (of the session token) go into headers, like `headers`."""

    status: int
    body: Any = None
    charge: float = READ_CHARGE
    etag: str | None = None
    lsn: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def all_headers(self) -> dict[str, str]:
        own = dict(self.headers)
        if self.etag is not None:
            own["etag"] = self.etag
        if self.lsn is not None:
            own["x-ms-session-token"] = f"0:-1#{self.lsn}"
        return own


async def read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise CosmosError(413, "Request size is too large: a document or a batch has at most 2 MB.")
    return bytes(body)


def headers(request: Request, charge: float) -> dict[str, str]:
    return {
        "x-ms-request-charge": str(charge),
        "x-ms-activity-id": request.headers.get("x-ms-activity-id") or str(uuid.uuid4()),
        "x-ms-version": request.headers.get("x-ms-version", "2020-07-15"),
    }


def failure(request: Request, problem: CosmosError) -> Response:
    common = headers(request, READ_CHARGE)
    text = f"{problem.message}\r\nActivityId: {common['x-ms-activity-id']}"
    if problem.substatus:
        common["x-ms-substatus"] = str(problem.substatus)
    return JSONResponse({"code": problem.code, "message": text}, problem.status, common)


async def unknown_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    text = f"The stand-in has no {request.method} {request.url.path}."
    return failure(request, CosmosError(405 if status == 405 else 404, text))  # noqa: PLR2004 - HTTP's Method Not Allowed
