"""Papers in the order of their relevance: by name, near to a paper, or by meaning and words at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.search.models import Hits, Question
from shared.papers.search.ranking.fusing import fused
from shared.papers.search.ranking.meaning import (
    NoMeaning,
    any_without_vector,
    near,
    near_paper,
    with_similarity,
    without_vector,
)
from shared.papers.search.ranking.words import with_words

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.papers.search.filtering.conditions import Condition
    from shared.papers.search.ranking.meaning import Meaning


async def by_relevance(
    connection: AsyncConnection[Any],
    question: Question,
    condition: Condition,
    meaning: Meaning | NoMeaning,
    by_name: Hits | None,
) -> Hits:
    """The `limit` most relevant papers of the condition, or all of them.

    `by_name` are those whose name was written, if it was one, of which none is there.
    """
    if question.similar_to:
        if isinstance(meaning, NoMeaning):
            return Hits(hits=[], plan=["exact"], warnings=[f"{meaning.reason}."])
        hits = await near_paper(connection, meaning, question.similar_to, condition, question.limit)
        others = condition.also("p.paper_id <> %(itself)s", itself=question.similar_to)
        return await _with_the_rest(connection, question, others, meaning, hits) if hits.hits else hits
    words = await with_words(connection, question.written or "", condition, question.limit)
    if by_name:
        words.warnings.extend(by_name.warnings)
    if isinstance(meaning, NoMeaning):
        words.warnings.append(f"{meaning.reason}: only words were searched.")
        return words if question.threshold is None else words.model_copy(update={"hits": []})
    orders = [await near(connection, meaning, condition, question.limit), words]
    if question.threshold is not None:
        # Before the orders are cut to the limit: what is left of them then is all there is.
        orders = [await _not_below(connection, meaning, order, question.threshold) for order in orders]
    hits = await with_similarity(connection, meaning, fused(orders, question.limit))
    return await _with_the_rest(connection, question, condition, meaning, hits)


def found_by_name(question: Question, by_name: Hits) -> Hits:
    """The papers whose name was written, as an answer in the order of relevance."""
    warnings = [] if question.threshold is None else ["What is found by its name has no similarity to compare."]
    return by_name.model_copy(update={"hits": by_name.hits[: question.limit], "warnings": warnings})


async def _not_below(connection: AsyncConnection[Any], meaning: Meaning, order: Hits, threshold: float) -> Hits:
    compared = await with_similarity(connection, meaning, order)
    kept = [hit for hit in compared.hits if hit.similarity is not None and hit.similarity >= threshold]
    return compared.model_copy(update={"hits": kept})


async def _with_the_rest(
    connection: AsyncConnection[Any], question: Question, condition: Condition, meaning: Meaning, hits: Hits
) -> Hits:
    """What was found, and behind it, if that is less than was asked for, papers that have no vector yet."""
    lacking = question.limit - len(hits.hits)
    if lacking == 0:
        if not await any_without_vector(connection, meaning):
            return hits
        warning = "Some papers have no vector yet: they were not compared."
        return hits.model_copy(update={"warnings": [*hits.warnings, warning]})
    rest = await without_vector(connection, meaning, condition, hits.hits, lacking)
    if not rest:
        return hits
    if question.threshold is not None or question.similar_to:
        warning = "Some papers that match have no vector: they were not compared."
        return hits.model_copy(update={"warnings": [*hits.warnings, warning]})
    warning = "Some papers that match have no vector: they stand last."
    return hits.model_copy(update={"hits": [*hits.hits, *rest], "warnings": [*hits.warnings, warning]})
