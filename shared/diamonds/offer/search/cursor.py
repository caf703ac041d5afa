"""Where a page ended: the sort key and the id of its last diamond, and the order they belong to."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.diamonds.offer.search.query import Order, SortBy
from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from shared.diamonds.offer.search.query import Search

Key = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9 :.+-]{0,39}$")]

FARTHEST_ZONE = timedelta(hours=15)
"""From UTC; PostgreSQL reads no time of a zone that is 16 hours away."""


class Cursor(BaseModel):
    """A place in a sorted list; `key` is the value sorted by, as PostgreSQL writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    by: SortBy
    order: Order
    key: Key
    id: int = Field(ge=0, lt=2**63)

    def text(self) -> str:
        """What callers are given, who need not understand it."""
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")


def read_cursor(search: Search) -> Cursor | None:
    """The cursor of a search, or None without one.

    Raises:
        InvalidInput: it is none of ours, or of a list in another order.
    """
    if search.cursor is None:
        return None
    try:
        padded = search.cursor + "=" * (-len(search.cursor) % 4)
        cursor = Cursor.model_validate_json(base64.urlsafe_b64decode(padded))
        _check(cursor)
    except (ValidationError, ValueError, ArithmeticError, binascii.Error):
        raise _unusable("The cursor was not made by this list.") from None
    if (cursor.by, cursor.order) != (search.sort_by, search.sort_order):
        raise _unusable(f"The cursor belongs to the order {cursor.by} {cursor.order}.")
    return cursor


def _check(cursor: Cursor) -> None:
    """Raise ValueError unless PostgreSQL will read the key as what it is compared with."""
    if cursor.by == "created_at":
        offset = datetime.fromisoformat(cursor.key).utcoffset()
        if offset is None or abs(offset) > FARTHEST_ZONE:
            raise ValueError("no time zone")
    elif cursor.by in ("color", "clarity"):
        if not 0 <= int(cursor.key) <= 99:  # noqa: PLR2004 - the grade of what has none
            raise ValueError("no grade")
    elif not 0 <= float(cursor.key) < 1e10:  # noqa: PLR2004 - numeric(12, 2)
        raise ValueError("no amount")


def _unusable(message: str) -> InvalidInput:
    return InvalidInput(message, field="cursor", code="cursor", remedy="Begin again without a cursor.")
