"""Papers in the order of their dates, a page at a time, each on one page whatever is written meanwhile.

Those without a date come last: they are read apart, so that the index of dates leads to each page at any depth.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.papers.search.models import COLUMNS, FoundPaper, Question
from shared.platform.errors import UnusableCursor
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.papers.search.filtering.conditions import Condition


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: at this paper of this day, or at this one of those without a date."""

    day: date | None
    paper_id: UUID


async def page(
    connection: AsyncConnection[Any], condition: Condition, question: Question
) -> tuple[list[FoundPaper], str | None]:
    """A page of the papers that match, and where the next one begins. Papers without a date come last.

    Raises:
        UnusableCursor: the question's cursor is none of ours, or of the other order.
    """
    oldest = question.sort == "oldest"
    after = _place(question.after, oldest=oldest) if question.after is not None else None
    papers: list[dict[str, Any]] = []
    if after is None or after.day is not None:
        papers = await _read(connection, dated(condition, after, oldest=oldest), question, question.limit + 1)
    if len(papers) <= question.limit:
        undated_after = after if after and after.day is None else None
        rest = undated(condition, undated_after, oldest=oldest)
        papers += await _read(connection, rest, question, question.limit + 1 - len(papers))
    following = None
    if len(papers) > question.limit:
        last = papers[question.limit - 1]
        following = json.dumps([last["at_date"] and last["at_date"].isoformat(), str(last["at_id"]), oldest])
    results: list[Any] = [
        {name: value for name, value in row.items() if name not in ("at_date", "at_id")}
        for row in papers[: question.limit]
    ]
    return results, following


def dated(condition: Condition, after: Place | None, *, oldest: bool) -> Condition:
    """The papers with a date that come behind a place."""
    with_date = condition.also("p.primary_date is not null")
    if after is None:
        return with_date
    behind = f"(p.primary_date, p.paper_id) {'>' if oldest else '<'} (%(at_date)s, %(at_id)s)"
    return with_date.also(behind, at_date=after.day, at_id=after.paper_id)


def undated(condition: Condition, after: Place | None, *, oldest: bool) -> Condition:
    """The papers without a date that come behind a place among them."""
    without_date = condition.also("p.primary_date is null")
    if after is None:
        return without_date
    return without_date.also(f"p.paper_id {'>' if oldest else '<'} %(at_id)s", at_id=after.paper_id)


def statement(condition: Condition, question: Question) -> str:
    """The SQL of at most %(limit)s papers of a condition that lets through only those with a date, or only others."""
    selected = ", ".join(f"{COLUMNS[name]} as {name}" for name in question.fields if name in COLUMNS)
    direction = "asc" if question.sort == "oldest" else "desc"
    return (
        f"select p.primary_date as at_date, p.paper_id as at_id{', ' * bool(selected)}{selected}"  # noqa: S608 - ours
        f" from papers.papers p where {condition.sql}"
        f" order by p.primary_date {direction}, p.paper_id {direction} limit %(limit)s"
    )


async def _read(
    connection: AsyncConnection[Any], condition: Condition, question: Question, limit: int
) -> list[dict[str, Any]]:
    return await rows(connection, statement(condition, question), {**condition.values, "limit": limit}, prepare=False)


def _place(after: str, *, oldest: bool) -> Place:
    """The place in a cursor. Raises UnusableCursor as `page`."""
    try:
        day, paper_id, of_oldest = json.loads(after)
        place = Place(date.fromisoformat(day) if day is not None else None, UUID(paper_id))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UnusableCursor from None
    if of_oldest is not oldest:
        raise UnusableCursor("The cursor belongs to the other order.")
    return place
