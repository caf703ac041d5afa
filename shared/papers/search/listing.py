"""Papers in the order of their dates, a page at a time, each on one page whatever is written meanwhile."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.papers.search.models import COLUMNS, FoundPaper, Question
from shared.platform.errors import UnusableCursor
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.papers.search.filtering.conditions import Condition


async def page(
    connection: AsyncConnection[Any], condition: Condition, question: Question
) -> tuple[list[FoundPaper], str | None]:
    """A page of the papers that match, and where the next one begins. Papers without a date come last."""
    oldest = question.sort == "oldest"
    behind, values = _behind(question.after, oldest=oldest)
    chosen = ", ".join(f"{COLUMNS[name]} as {name}" for name in question.fields if name in COLUMNS)
    direction = "asc" if oldest else "desc"
    found = await rows(
        connection,
        f"select p.primary_date as at_date, p.paper_id as at_id{', ' * bool(chosen)}{chosen}"  # noqa: S608 - ours
        f" from papers.papers p where {condition.sql} and {behind}"
        f" order by p.primary_date {direction} nulls last, p.paper_id {direction} limit %(limit)s",
        {**condition.values, **values, "limit": question.limit + 1},
        prepare=False,
    )
    following = None
    if len(found) > question.limit:
        last = found[question.limit - 1]
        following = _cursor(last["at_date"], last["at_id"], oldest=oldest)
    results: list[Any] = [
        {name: value for name, value in row.items() if name not in ("at_date", "at_id")}
        for row in found[: question.limit]
    ]
    return results, following


def _cursor(day: date | None, paper_id: UUID, *, oldest: bool) -> str:
    return json.dumps([day.isoformat() if day else None, str(paper_id), oldest])


def _behind(after: str | None, *, oldest: bool) -> tuple[str, dict[str, Any]]:
    """The condition of what comes behind a cursor.

    Raises:
        UnusableCursor: it is no cursor of ours, or of the other order.
    """
    if after is None:
        return "true", {}
    try:
        day, paper_id, of_oldest = json.loads(after)
        values = {"at_date": date.fromisoformat(day) if day is not None else None, "at_id": UUID(paper_id)}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UnusableCursor from None
    if of_oldest is not oldest:
        raise UnusableCursor("The cursor belongs to the other order.")
    comparison = ">" if oldest else "<"
    if values["at_date"] is None:
        return f"(p.primary_date is null and p.paper_id {comparison} %(at_id)s)", values
    row = f"(p.primary_date, p.paper_id) {comparison} (%(at_date)s, %(at_id)s)"
    return f"({row} or p.primary_date is null)", values
