"""Keyset pages of rows that are numbered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pydantic import ConfigDict, Field

from shared.followups.events.replies import ClientReply
from shared.followups.people.models import Client, Task
from shared.followups.sending.mails import Email
from shared.followups.sending.unknown import UnknownMail
from shared.platform.http import Page, Pagination
from shared.platform.models import LazyModel

NUMBERS = 2**63 - 1


Row = TypeVar("Row", Client, Task, Email, ClientReply, UnknownMail)


class NumberedPage(LazyModel):
    """Which part of a list is asked for."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most items of one page")
    cursor: int | None = Field(default=None, ge=1, le=NUMBERS, description="`pagination.next` of the page before")


def page(found: Sequence[Row], limit: int) -> Page[Row]:
    """A page of the rows; the number of the last one is where the next page begins."""
    following = str(found[-1].id) if len(found) == limit else None
    return Page(data=list(found), pagination=Pagination(limit=limit, next=following))
