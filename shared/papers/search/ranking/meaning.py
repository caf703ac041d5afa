"""What a question means: as a vector of the version that is searched, and the papers near to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.papers.embedding import versions
from shared.papers.embedding.centre import find_centre
from shared.papers.embedding.embedders import embedder
from shared.papers.search.models import Hit, Hits
from shared.papers.search.ranking.nearest import nearest
from shared.papers.settings import settings
from shared.platform.errors import ManifoldError
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from psycopg import AsyncConnection

    from shared.papers.embedding.models import ModelVersion
    from shared.papers.search.filtering.conditions import Condition


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question, by the version that is searched.

    Attributes:
        centre: what was taken off the papers' vectors.
        vector: of the question, of length 1; None: it is asked for what is near to a paper.
    """

    version: ModelVersion
    centre: Any
    vector: Any


@dataclass(frozen=True, slots=True)
class NoMeaning:
    """Why nothing can be found by its meaning: a sentence for whoever asked."""

    reason: str


async def meaning_of(written: str | None) -> Meaning | NoMeaning:
    """The meaning of what was written, if there is a model that gives it in the time that a search has."""
    version = await versions.searched()
    centre = await find_centre(version.model_id) if version else None
    if version is None or centre is None:
        return NoMeaning("No paper has a vector yet")
    if not written:
        return Meaning(version, centre, None)
    try:
        async with asyncio.timeout(settings().papers_query_seconds):
            embedded = await embedder(version).embed([written])
    except TimeoutError:
        return NoMeaning(f"The model did not answer within {settings().papers_query_seconds:g} s")
    except ManifoldError as error:
        # What is wrong there is no fault of whoever asks: they get what can be found without it.
        return NoMeaning(f"The model gave no vector for the question ({error.code})")
    return Meaning(version, centre, embedded.vectors[0])


async def near(connection: AsyncConnection[Any], meaning: Meaning, condition: Condition, limit: int) -> Hits:
    """The papers of the condition that are nearest to the question."""
    hits = await nearest(connection, meaning.version, _written(meaning.vector), condition, limit)
    return hits.model_copy(update={"hits": _cosines(meaning, hits.hits)})


async def near_paper(
    connection: AsyncConnection[Any], meaning: Meaning, paper_id: UUID, condition: Condition, limit: int
) -> Hits:
    """The papers of the condition that are nearest to one, without it."""
    import numpy as np  # noqa: PLC0415 - loads when papers are searched

    vectors = await rows(
        connection,
        f"select embedding::real[] from papers.vectors_{meaning.version.model_id:d} where paper_id = %s",  # noqa: S608 - a number
        (paper_id,),
    )
    if not vectors:
        return Hits(hits=[], plan=["exact"], warnings=["The paper has no vector yet."])
    itself = Meaning(meaning.version, meaning.centre, np.array(vectors[0]["embedding"]) + meaning.centre)
    return await near(connection, itself, condition.also("p.paper_id <> %(itself)s", itself=paper_id), limit)


async def with_similarity(connection: AsyncConnection[Any], meaning: Meaning, hits: Hits) -> Hits:
    """The hits, those with their similarity too that were found by their words alone."""
    unknown = [hit.paper_id for hit in hits.hits if hit.similarity is None]
    if not unknown:
        return hits
    similarities = await rows(
        connection,
        f"select paper_id, -(embedding <#> %s::halfvec) as similarity from papers.vectors_{meaning.version.model_id:d}"  # noqa: S608 - a number
        " where paper_id = any(%s)",
        (_written(meaning.vector), unknown),
    )
    compared = {hit.paper_id: hit for hit in _cosines(meaning, map(Hit.model_validate, similarities))}
    return hits.model_copy(update={"hits": [compared.get(hit.paper_id, hit) for hit in hits.hits]})


async def without_vector(
    connection: AsyncConnection[Any], meaning: Meaning, condition: Condition, excluded: list[Hit], limit: int
) -> list[Hit]:
    """Papers of the condition that have no vector of the version, but for those excluded, newest first."""
    values = {
        **condition.values,
        "model": meaning.version.model_id,
        "excluded": [hit.paper_id for hit in excluded],
        "limit": limit,
    }
    papers = await rows(
        connection,
        "select p.paper_id from papers.unembedded u join papers.papers p using (paper_id)"  # noqa: S608 - as above
        f" where u.model_id = %(model)s and ({condition.sql}) and p.paper_id <> all(%(excluded)s)"
        # What waits for a vector of its new text has that of the old one.
        f" and not exists (select from papers.vectors_{meaning.version.model_id:d} v where v.paper_id = p.paper_id)"
        " order by p.primary_date desc nulls last, p.paper_id limit %(limit)s",
        values,
        prepare=False,
    )
    return [Hit.model_validate(row) for row in papers]


async def any_without_vector(connection: AsyncConnection[Any], meaning: Meaning) -> bool:
    """Whether some paper has no vector of the version. Many may wait that have one of their old text: some are seen."""
    vector = f"select from papers.vectors_{meaning.version.model_id:d} v where v.paper_id = u.paper_id"
    [row] = await rows(
        connection,
        "select exists (select from (select paper_id from papers.unembedded where model_id = %s limit 1000) u"  # noqa: S608 - as above
        f" where not exists ({vector})) as some",
        (meaning.version.model_id,),
    )
    return row["some"]


def _written(vector: Any) -> str:
    """The vector as PostgreSQL reads it from text: to tell the driver of its type would cost three queries a search."""
    return f"[{','.join(map(str, vector.tolist()))}]"


def _cosines(meaning: Meaning, hits: Iterable[Hit]) -> list[Hit]:
    """The hits with their cosines, to four digits, in the place of inner products with vectors without their centre."""
    taken_off = float(meaning.vector @ meaning.centre)
    return [hit.model_copy(update={"similarity": round((hit.similarity or 0.0) + taken_off, 4)}) for hit in hits]
