"""A question answered: by name, by meaning and words, or as a list in order."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.papers.maps.area import within
from shared.papers.search import listing
from shared.papers.search.filtering.conditions import Condition, condition_of
from shared.papers.search.filtering.counting import count
from shared.papers.search.filtering.filters import parse
from shared.papers.search.models import COLUMNS, FIELDS, Found, FoundPaper, Hit, Hits, Question
from shared.papers.search.naming import is_name, named
from shared.papers.search.ranking.meaning import meaning_of
from shared.papers.search.ranking.nearest import MOST
from shared.papers.search.relevance import by_relevance, found_by_name
from shared.papers.settings import settings
from shared.platform.errors import InvalidInput, TransientError
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from psycopg import AsyncConnection


async def search(question: Question) -> Found:
    """What is found.

    Raises:
        InvalidInput: the filter, the rectangle or the cursor is unusable, or the question asks for more than an answer
            holds.
        TransientError: it took longer than PAPERS_QUERY_SECONDS.
    """
    began = time.monotonic()
    condition = condition_of(parse(question.filters) if question.filters else None)
    if question.bbox:
        sql, values = await within(question.bbox)
        condition = condition.also(sql, **values)
    _check(question)
    by_name = await _by_name(question.written, condition) if question.written else None
    # A name needs no meaning; and nobody waits for the model with a connection in hand.
    is_named = by_name is not None and bool(by_name.hits)
    meaning = await meaning_of(question.written) if question.by_relevance and not is_named else None
    following: str | None = None
    async with reading() as connection:
        if meaning:
            hits = await by_relevance(connection, question, condition, meaning, by_name)
            results = await _papers(connection, hits.hits, question.fields)
        elif by_name and question.by_relevance:
            hits = found_by_name(question, by_name)
            results = await _papers(connection, hits.hits, question.fields)
        else:
            hits = Hits(hits=[], plan=["list"], warnings=by_name.warnings if by_name else [])
            results, following = await listing.page(connection, _listed(question, condition, by_name), question)
            if question.written and not results and not question.after:
                hits.warnings.append(
                    "No paper that the filters let through holds all these words. Without sort, meaning counts."
                )
        total, estimated = await count(connection, condition)
    return Found(
        results=results,
        total_count=total,
        total_count_estimated=estimated,
        plan=hits.plan,
        warnings=hits.warnings,
        execution_time_ms=round((time.monotonic() - began) * 1000, 1),
        next=following,
    )


async def _by_name(written: str, condition: Condition) -> Hits | None:
    """The papers whose name was written; None: it is no name."""
    if not is_name(written):
        return None
    async with reading() as connection:
        return await named(connection, written, condition)


def _check(question: Question) -> None:
    """Refuse what the order of the answer leaves without a meaning. Raises InvalidInput."""
    if not question.by_relevance:
        for field, is_sent in [
            ("similarity_threshold", question.threshold is not None),
            ("fields", "similarity" in question.fields),
        ]:
            if is_sent:
                raise InvalidInput(
                    "Only papers in the order of their relevance have a similarity.",
                    field=field,
                    code="no-similarity",
                    remedy=f"Send search_text without sort, or leave {field} out.",
                )
    elif question.limit > MOST:
        raise InvalidInput(
            f"At most {MOST:,} papers are ordered by relevance.",
            field="limit",
            code="too-many-relevant",
            remedy="Ask for fewer, or let the answer be sorted by newest or oldest.",
        )
    elif question.after is not None:
        raise InvalidInput(
            "Papers in the order of their relevance come in one page.",
            field="cursor",
            code="no-pages",
            remedy=f"Leave cursor out and raise limit, up to {MOST:,}, or sort by newest or oldest.",
        )


def _listed(question: Question, condition: Condition, by_name: Hits | None) -> Condition:
    """What a list holds: the papers of the name that was written, or those that hold the words."""
    if by_name and by_name.hits:
        return condition.also("p.paper_id = any(%(named)s)", named=[hit.paper_id for hit in by_name.hits])
    if question.written:
        return condition.also("p.words @@ websearch_to_tsquery('english', %(written)s)", written=question.written)
    return condition


async def _papers(connection: AsyncConnection[Any], hits: list[Hit], fields: tuple[str, ...]) -> list[FoundPaper]:
    """The papers of the hits, in their order."""
    selected = ", ".join(f"{COLUMNS[name]} as {name}" for name in fields if name in COLUMNS)
    papers = await rows(
        connection,
        f"select p.paper_id as at{', ' * bool(selected)}{selected} from papers.papers p where paper_id = any(%s)",  # noqa: S608 - ours
        ([hit.paper_id for hit in hits],),
    )
    by_id: dict[UUID, Any] = {row.pop("at"): row for row in papers}
    for hit in hits:
        if hit.paper_id in by_id and hit.similarity is not None:
            by_id[hit.paper_id]["similarity"] = hit.similarity
    return [by_id[hit.paper_id] for hit in hits if hit.paper_id in by_id]


@asynccontextmanager
async def reading() -> AsyncGenerator[AsyncConnection[Any]]:
    """A transaction that changes nothing and whose statements end in time."""
    from psycopg.errors import QueryCanceled  # noqa: PLC0415 - loads when papers are searched

    seconds = settings().papers_query_seconds
    try:
        async with database() as connection:
            await connection.execute(
                "select set_config('statement_timeout', %s, true), set_config('transaction_read_only', 'on', true)",
                (f"{int(seconds * 1000)}ms",),
            )
            yield connection
    except TransientError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TransientError(
                f"The search took longer than {seconds:g} s.",
                code="search-too-slow",
                remedy="Narrow it with filters, or ask for fewer papers.",
            ) from error
        raise


def with_fields(question: Question, names: tuple[str, ...]) -> Question:
    """The question for these fields. Raises as `check_fields`."""
    return replace(question, fields=check_fields(names))


def check_fields(names: tuple[str, ...], allowed: tuple[str, ...] = FIELDS) -> tuple[str, ...]:
    """The names themselves.

    Raises:
        InvalidInput: there is no field of one of them.
    """
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise InvalidInput(
            f"There is no field {unknown[0][:50]!r}.",
            field="fields",
            code="unknown-field",
            remedy=f"The fields are: {', '.join(allowed)}.",
        )
    return names
