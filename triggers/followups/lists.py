"""Keyset pages, of rows that are numbered and of those ordered by moments, and the answer where nothing is to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field

from shared.followups.events.replies import ClientReply
from shared.followups.keyset import PATTERN
from shared.followups.people.models import LARGEST_ID, Client, Task
from shared.followups.reporting.agenda import Planned
from shared.followups.reporting.dashboard import Event
from shared.followups.reporting.not_sent import NotSent
from shared.followups.sending.checking.explain import Explanation
from shared.followups.sending.mails import Email
from shared.followups.sending.unknown import UnknownMail
from shared.platform.cursors import OPENED
from shared.platform.http import Page, Pagination
from shared.platform.models import LazyModel

Row = TypeVar("Row", Client, Task, Email, ClientReply, UnknownMail, Event)
Timed = TypeVar("Timed", Explanation, NotSent, Planned)


class NumberedPage(LazyModel):
    """Which part of a list is asked for."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most items of one page")
    cursor: Annotated[int, Field(ge=1, le=LARGEST_ID), OPENED] | None = Field(
        default=None, description="`pagination.next` of the page before"
    )


class MomentPage(LazyModel):
    """Which part of a list that is ordered by moments is asked for."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most items of one page")
    cursor: Annotated[str, Field(pattern=PATTERN), OPENED] | None = Field(
        default=None, description="`pagination.next` of the page before"
    )


class Done(LazyModel):
    """What was asked for is done."""

    success: Literal[True] = True


def page(found: Sequence[Row], limit: int) -> Page[Row]:
    """A page of the rows; the number of the last one is where the next page begins."""
    following = str(found[-1].id) if len(found) == limit else None
    return Page(data=list(found), pagination=Pagination(limit=limit, next=following))


def timed_page(found: Sequence[Timed], limit: int) -> Page[Timed]:
    """A page of rows that know their place in the order of moments."""
    following = found[-1].place.cursor if len(found) == limit else None
    return Page(data=list(found), pagination=Pagination(limit=limit, next=following))
