"""Where a page ended: the sort key and the id of its last diamond, and the order they belong to."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field, StringConstraints

from shared.diamonds.offer.search.query import Order, SortBy
from shared.platform.errors import UnusableCursor
from shared.platform.models import LazyModel

if TYPE_CHECKING:
    from shared.diamonds.offer.search.query import Search

Key = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9 :.+-]{0,39}$")]

FARTHEST_ZONE = timedelta(hours=15)
"""From UTC; PostgreSQL reads no time of a zone that is 16 hours away."""


class Cursor(LazyModel):
    """A place in a sorted list; `key` is the value sorted by, as PostgreSQL writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    by: SortBy
    order: Order
    key: Key
    id: int = Field(ge=0, lt=2**63)


def read_cursor(search: Search) -> Cursor | None:
    """The cursor of a search, or None without one.

    Raises:
        UnusableCursor: it is none of ours, or of a list in another order.
    """
    if search.cursor is None:
        return None
    try:
        cursor = Cursor.model_validate_json(search.cursor)
        cursor = cursor.model_copy(update={"key": _plain(cursor)})
    except (ValueError, ArithmeticError):
        raise UnusableCursor from None
    if (cursor.by, cursor.order) != (search.sort_by, search.sort_order):
        raise UnusableCursor(f"The cursor belongs to the order {cursor.by} {cursor.order}.")
    return cursor


def _plain(cursor: Cursor) -> str:
    """The key as PostgreSQL reads it, whatever else Python took for one. Raises ValueError if it is none."""
    if cursor.by == "created_at":
        moment = datetime.fromisoformat(cursor.key)
        offset = moment.utcoffset()
        if offset is None or abs(offset) > FARTHEST_ZONE:
            raise ValueError("no time zone")
        return moment.isoformat()
    if cursor.by in ("color", "clarity"):
        if not 0 <= int(cursor.key) <= 99:  # noqa: PLR2004 - the grade of what has none
            raise ValueError("no grade")
        return str(int(cursor.key))
    amount = Decimal(cursor.key)
    if not 0 <= amount < Decimal(10) ** 10:
        raise ValueError("no amount")
    return f"{amount:f}"
