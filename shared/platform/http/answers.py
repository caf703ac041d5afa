"""What a handler may give back, and the HTTP response that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, TypeVar, cast, get_args, get_origin
from urllib.parse import quote

import azure.functions as func
from pydantic import BaseModel, Field

from shared.platform.cursors import OPENED, Next, of_list
from shared.platform.models import LazyModel

T = TypeVar("T")

HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Of every answer that does not say otherwise: kept by nobody, and taken for nothing but what it says it is."""
POLL_SECONDS: Final = 2


class PageQuery(LazyModel, extra="forbid"):
    """Which part of a list is asked for."""

    limit: int = Field(default=50, ge=1, le=100, description="Most items of one page")
    cursor: Annotated[str, OPENED] | None = Field(default=None, description="`pagination.next` of the page before")


class Pagination(LazyModel):
    """Where the next part of a list begins."""

    limit: int
    next: Next = Field(default=None, description="Cursor of the next page; null on the last one")


class Page(LazyModel, Generic[T]):
    """A part of a list."""

    data: list[T]
    pagination: Pagination


class Accepted(LazyModel):
    """Work was started: 202, with a Location where its state can be read. A subclass adds what its clients expect."""

    id: str
    location: str = Field(description="Path of the state of the work")


@dataclass(frozen=True)
class Reply(Generic[T]):
    """A body with a status or headers of its own. A list of models names its next page in the header Link."""

    body: T
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def answers_with(returns: Any) -> Any:
    """The type of the body of a handler's return type: a Reply's is inside it."""
    return get_args(returns)[0] if get_origin(returns) is Reply else returns


def status_of(model: Any) -> int:
    """The status of success that goes with a body."""
    if model is type(None):
        return 204
    return 202 if isinstance(model, type) and issubclass(model, Accepted) else 200


def response(result: Any, status: int, name: str) -> func.HttpResponse:
    """The response for what a handler gave back; `status` and `name` are those of the route.

    Raises:
        TypeError: it was none of the types that a handler may give back.
    """
    headers = dict(HEADERS)
    if isinstance(result, Reply):
        status, headers, result = result.status, headers | dict(result.headers), cast("Reply[Any]", result).body
    if isinstance(result, func.HttpResponse):
        return result
    if result is None:
        return func.HttpResponse(status_code=204, headers=headers)
    if isinstance(result, list):
        rows = [row.model_dump_json(by_alias=True) for row in cast("list[BaseModel]", result)]
        return func.HttpResponse(
            f"[{','.join(rows)}]", status_code=status, headers=headers, mimetype="application/json"
        )
    if not isinstance(result, BaseModel):
        raise TypeError(f"A handler gave back {type(result).__name__}, which is no pydantic model.")
    if isinstance(result, Accepted):
        headers |= {"Location": quote(result.location, safe="/:?#[]@!$&'()*+,;=%"), "Retry-After": str(POLL_SECONDS)}
    return func.HttpResponse(
        result.model_dump_json(by_alias=True, context=of_list(name)),
        status_code=status,
        headers=headers,
        mimetype="application/json",
    )
