"""Refusals and failures as RFC 9457 problem details, the same shape from every route."""

from __future__ import annotations

import logging
import math
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit
from uuid import uuid4

import azure.functions as func
from pydantic import Field

from shared.platform import errors
from shared.platform.access.auth import header
from shared.platform.http.answers import HEADERS
from shared.platform.models import LazyModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_log = logging.getLogger(__name__)

Place = Literal["body", "query", "path", "header"]
_PLACES: dict[int | str, Place] = {"query": "query", "headers": "header", "body": "body"}


class FieldProblem(LazyModel):
    """One value of the request that cannot be used."""

    place: Place | None = Field(default=None, serialization_alias="in", description="Where the value stood")
    pointer: str = Field(description="JSON Pointer (RFC 6901) to the value, as a URI fragment")
    detail: str
    code: str

    @classmethod
    def at(cls, path: tuple[int | str, ...], detail: str, code: str) -> FieldProblem:
        """A problem at `path`, which begins with query, headers, body or the name of a part of the URL's path."""
        place = _PLACES.get(path[0])
        parts = path[1:] if place else path
        if place == "header":
            parts = tuple(str(part).replace("_", "-").title() for part in parts)
        return cls(place=place or "path", pointer=pointer(parts), detail=detail, code=code)


class Problem(LazyModel):
    """Why a request was not answered (RFC 9457), with what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = Field(description="Path of the request")
    code: str = Field(description="Stable name of the cause, for machines")
    remedy: str | None = Field(default=None, description="What to do next")
    errors: list[FieldProblem] | None = Field(default=None, description="The values at fault")
    trace_id: str | None = Field(default=None, description="Finds the failure in the app's logs")


class UnusableRequest(errors.InvalidInput):
    """Values of the request did not pass their types; `fields` names each."""

    def __init__(self, fields: Iterable[FieldProblem]) -> None:
        self.fields = list(fields)
        first = self.fields[0]
        named = first.pointer.removeprefix("#/") if first.pointer != "#" else "all of it"
        super().__init__(f"In the {first.place}, {named}: {first.detail}", field=first.pointer)


class UnsupportedMediaType(errors.TerminalError):
    """The body is not of the type this route reads."""

    code = "unsupported-media-type"


_STATUS = {
    errors.InvalidInput: HTTPStatus.BAD_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.TransientError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ManifoldError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
DEFAULT_RETRY_SECONDS = 5


def pointer(path: Iterable[int | str]) -> str:
    """The place in a body as a JSON Pointer (RFC 6901), in the form of a URI's fragment."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def problem_response(
    error: Exception,
    request: func.HttpRequest,
    unusable: int = 400,
    part_of: Callable[[str], str | None] = lambda _: None,
) -> func.HttpResponse:
    """The answer for `error`. A failure of ours is logged whole; the caller learns its code and its trace id.

    `unusable` is the status where values of the request cannot be used; a cursor that cannot be is 400 everywhere.
    `part_of` says where the request held the field that an error names: query, headers, body or path.
    """
    trace_id = None
    headers = dict(HEADERS)
    known = error if isinstance(error, errors.ManifoldError) else None
    status = next((_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    if status is HTTPStatus.BAD_REQUEST and not isinstance(error, errors.UnusableCursor):
        status = HTTPStatus(unusable)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        trace_id = _trace_id(request)
        _log.error("The request failed", exc_info=error, extra={"trace_id": trace_id, "status": status.value})
    if isinstance(error, errors.TransientError | errors.RateLimited):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or DEFAULT_RETRY_SECONDS)))
    if isinstance(error, errors.RateLimited):
        headers |= error.headers
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'ApiKey realm="manifold"'
    fields = error.fields if isinstance(error, UnusableRequest) else []
    if isinstance(error, errors.InvalidInput) and error.field and not fields:
        fields = [_field(error, error.field.split("."), part_of)]
    code = known.code if known else "internal-error"
    detail, remedy = (known.message, known.remedy) if known else ("", None)
    if trace_id:  # What lies behind a failure is for the log: a caller may be anyone.
        transient = isinstance(error, errors.TransientError)
        detail = "Something this route needs is not available now." if transient else "Something went wrong inside."
        remedy = "Try again later. If it stays so, tell the operator the trace id."
    problem = Problem(
        type=f"urn:manifold:problem:{code}",
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=urlsplit(request.url).path,
        code=code,
        remedy=remedy,
        errors=fields or None,
        trace_id=trace_id,
    )
    body = problem.model_dump_json(by_alias=True, exclude_none=True)
    return func.HttpResponse(body, status_code=status.value, headers=headers, mimetype="application/problem+json")


def _field(error: errors.InvalidInput, path: list[str], part_of: Callable[[str], str | None]) -> FieldProblem:
    part = part_of(path[0])
    if part is None:
        return FieldProblem(pointer=pointer(path), detail=error.message, code=error.code)
    above = () if part in {"path", path[0]} else (part,)
    return FieldProblem.at((*above, *path), error.message, error.code)


def _trace_id(request: func.HttpRequest) -> str:
    """The caller's W3C trace id, so that both sides' logs meet; a new one without it."""
    pattern = r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"
    traced = re.fullmatch(pattern, header(request, "traceparent"))
    return traced[1] if traced else uuid4().hex
