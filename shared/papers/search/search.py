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
from shared.papers.search.models import COLUMNS, Found, FoundPaper, Hit, Hits, Question
from shared.papers.search.ranking.fusing import fused
from shared.papers.search.ranking.meaning import meaning_of, near, near_paper, with_similarity
from shared.papers.search.ranking.nearest import MOST
from shared.papers.search.ranking.words import with_words
from shared.papers.settings import settings
from shared.papers.sources import text
from shared.platform.errors import InvalidInput, TransientError
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from psycopg import AsyncConnection

    from shared.papers.search.ranking.meaning import Meaning


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
    relevant = question.sort == "relevance" and (question.written or question.similar_to)
    if relevant and question.limit > MOST:
        raise InvalidInput(
            f"At most {MOST:,} papers are ordered by relevance.",
            field="limit",
            code="too-many-relevant",
            remedy="Ask for fewer, or let the answer be sorted by newest or oldest.",
        )
    meaning = await meaning_of(question.written) if relevant else None
    following: str | None = None
    async with reading() as connection:
        if relevant:
            hits = await _hits(connection, question, condition, meaning)
            results = await _papers(connection, hits.hits, question.fields)
        else:
            wanted = (
                condition.also("p.words @@ websearch_to_tsquery('english', %(written)s)", written=question.written)
                if question.written
                else condition
            )
            results, following = await listing.page(connection, wanted, question)
            hits = Hits(hits=[], plan=["list"])
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


async def _hits(
    connection: AsyncConnection[Any], question: Question, condition: Condition, meaning: Meaning | None
) -> Hits:
    named = await _named(connection, question.written or "", condition)
    if named:
        return Hits(hits=named[: question.limit], plan=["identifier"])
    if question.similar_to:
        if meaning is None:
            return Hits(hits=[], plan=["exact"], warnings=["No paper has a vector yet."])
        return await near_paper(connection, meaning, question.similar_to, condition, question.limit)
    words = await with_words(connection, question.written or "", condition, question.limit)
    if meaning is None:
        return words.model_copy(
            update={"warnings": [*words.warnings, "No paper has a vector yet: only words were searched."]}
        )
    orders = [await near(connection, meaning, condition, question.limit), words]
    found = await with_similarity(connection, meaning, fused(orders, question.limit))
    if question.threshold is not None:
        kept = [hit for hit in found.hits if hit.similarity is not None and hit.similarity >= question.threshold]
        found = found.model_copy(update={"hits": kept})
    return found


async def _named(connection: AsyncConnection[Any], written: str, condition: Condition) -> list[Hit]:
    """The papers whose DOI or arXiv id was asked for, which may be in several sources."""
    doi, arxiv_id = text.doi_of(written), text.arxiv_id_of(written)
    if not doi and not arxiv_id:
        return []
    named = condition.also("p.doi = %(doi)s or p.arxiv_id = %(arxiv_id)s", doi=doi, arxiv_id=arxiv_id)
    found = await rows(
        connection,
        f"select p.paper_id from papers.papers p where {named.sql} order by p.source limit 100",  # noqa: S608 - ours
        named.values,
    )
    return [Hit.model_validate(row) for row in found]


async def _papers(connection: AsyncConnection[Any], hits: list[Hit], fields: tuple[str, ...]) -> list[FoundPaper]:
    """The papers of the hits, in their order."""
    chosen = ", ".join(f"{COLUMNS[name]} as {name}" for name in fields if name in COLUMNS)
    found = await rows(
        connection,
        f"select p.paper_id as at{', ' * bool(chosen)}{chosen} from papers.papers p where paper_id = any(%s)",  # noqa: S608 - ours
        ([hit.paper_id for hit in hits],),
    )
    by_id: dict[UUID, Any] = {row.pop("at"): row for row in found}
    for hit in hits:
        if hit.paper_id in by_id and hit.similarity is not None:
            by_id[hit.paper_id]["similarity"] = round(hit.similarity, 4)
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


def check_fields(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names themselves.

    Raises:
        InvalidInput: there is no field of one of them.
    """
    unknown = [name for name in names if name not in (*COLUMNS, "similarity")]
    if unknown:
        raise InvalidInput(
            f"There is no field {unknown[0][:50]!r}.",
            field="fields",
            code="unknown-field",
            remedy=f"The fields are: {', '.join(COLUMNS)}.",
        )
    return names
