"""Keyset pages, and what several routes answer alike.

A list that callers of RealtorOS know is an array, and its next page stands in the header Link; others are a Page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import ConfigDict, Field

from shared.followups.events.replies import ClientReply
from shared.followups.keyset import PATTERN, Part
from shared.followups.people.models import LARGEST_ID, Client, Number, Task
from shared.followups.reporting.agenda import Planned
from shared.followups.reporting.dashboard import Event
from shared.followups.reporting.not_sent import NotSent
from shared.followups.sending.checking.explain import Explanation
from shared.followups.sending.mails import Email
from shared.followups.sending.unknown import UnknownMail
from shared.platform.cursors import OPENED, sealed
from shared.platform.errors import Conflict, NotFound
from shared.platform.http import Page, Pagination, Reply
from shared.platform.models import LazyModel, RequestBody

if TYPE_CHECKING:
    import azure.functions as func

Row = TypeVar("Row", ClientReply, UnknownMail)
Timed = TypeVar("Timed", Explanation, NotSent, Planned)
Listed = TypeVar("Listed", Client, Task, Email, Event)


class NumberedPage(LazyModel):
    """Which part of a list to show."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most items of one page")
    cursor: Annotated[int, Field(ge=1, le=LARGEST_ID), OPENED] | None = Field(
        default=None, description="`pagination.next` of the page before"
    )


class MomentPage(LazyModel):
    """Which part of a list that is ordered by moments to show."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most items of one page")
    cursor: Annotated[str, Field(pattern=PATTERN), OPENED] | None = Field(
        default=None, description="`pagination.next` of the page before"
    )


class CountedPage(LazyModel):
    """Which part of an array to show: behind a cursor, or by the number of the page."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=10, ge=1, le=100, description="Most items of one page")
    page: int = Field(default=1, ge=1, le=100_000, description="Counts pages of `limit` items; rows move between them")
    cursor: Annotated[int, Field(ge=1, le=LARGEST_ID), OPENED] | None = Field(
        default=None, description="From the header Link of the page before; nothing moves"
    )

    @property
    def part(self) -> Part:
        """The part of the list, for its query."""
        return Part(limit=self.limit, behind=self.cursor, skip=(self.page - 1) * self.limit)


class Done(LazyModel):
    """The request was carried out."""

    success: Literal[True] = True


class BulkIds(RequestBody):
    ids: Annotated[list[Number], Field(min_length=1, max_length=1000)]


class BulkDeleted(LazyModel):
    """How many of them were deleted, and which were not."""

    success: Literal[True] = True
    deleted_count: int
    failed_ids: list[int]
    total_requested: int


def page(items: Sequence[Row], limit: int) -> Page[Row]:
    """A page of the rows; the number of the last one is where the next page begins."""
    following = str(items[-1].id) if len(items) == limit else None
    return Page(data=list(items), pagination=Pagination(limit=limit, next=following))


def timed_page(items: Sequence[Timed], limit: int) -> Page[Timed]:
    """A page of rows that know their place in the order of moments."""
    following = items[-1].place.cursor if len(items) == limit else None
    return Page(data=list(items), pagination=Pagination(limit=limit, next=following))


def linked(items: list[Listed], limit: int, request: func.HttpRequest, name: str) -> Reply[list[Listed]]:
    """The rows as an array, with a link to the same request behind the last one; none where the list has ended.

    `name` is that of the list, for which its cursor is sealed: the handler's.
    """
    if len(items) < limit:
        return Reply(items)
    address = urlsplit(request.url)
    kept = [(key, value) for key, value in parse_qsl(address.query) if key not in ("cursor", "page")]
    following = urlencode([*kept, ("cursor", sealed(str(items[-1].id), name))])
    return Reply(items, headers={"Link": f'<{address.path}?{following}>; rel="next"'})


async def delete_each(ids: Sequence[int], delete: Callable[[int], Awaitable[None]]) -> BulkDeleted:
    """Delete one after another; one that cannot be deleted keeps no other."""
    failed: list[int] = []
    for number in dict.fromkeys(ids):
        try:
            await delete(number)
        except (Conflict, NotFound):
            failed.append(number)
    return bulk_deleted(ids, failed)


def bulk_deleted(ids: Sequence[int], failed: list[int]) -> BulkDeleted:
    """The answer; a number that was sent twice counts once as deleted."""
    return BulkDeleted(deleted_count=len(set(ids)) - len(failed), failed_ids=failed, total_requested=len(ids))
