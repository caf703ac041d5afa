"""The papers nearest to a vector: k of them or all that match, never fewer, and said how they were found.

Few papers that match are compared one by one, which misses none. Of many the index of nearest neighbours gives the
nearest, and goes on until enough of them match; if it gives up before, they are compared one by one after all.
Measured at 1,000,000 papers: with an index and a filter that lets 0.1 % through, 43 % of the nearest are missed; one by
one none, in a third of the time. 10,000 papers are compared one by one in 43 ms, 100,000 in 185.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.papers.search.filtering.conditions import EVERYTHING, Condition
from shared.papers.search.filtering.counting import estimate
from shared.papers.search.models import Hit, Hits
from shared.papers.search.ranking.neighbours import NearestQuery, by_index
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.papers.embedding.models import ModelVersion

FEW = 17_500
"""Papers that are compared one by one sooner than the index is asked: it takes 60 to 95 ms, by the filter. Of 16,000 in
1,000,000 the index misses more than one in twenty of the nearest, in 50 ms."""
FAR = 500
"""Neighbours among which the papers lie that are asked for, after which they are compared one by one. Of 1,000,000
papers the index found 0.95 of 500 without a filter, 0.92 of 1,000, 0.93 of 100 of a tenth, and 0.92 of 100 of 3.2 %."""
MANY = 200_000
"""Papers whose ids are looked up in order sooner than joined: of 100,000 the first takes 160 ms, the second 230."""
MOST = 1_000
"""Nearest papers of one answer."""


async def nearest(
    connection: AsyncConnection[Any], version: ModelVersion, vector: str, condition: Condition, limit: int
) -> Hits:
    """The `limit` papers of the condition that are nearest to the vector, written as text, or all of them.

    `connection` is in a transaction of its own, whose settings are changed.
    """
    expected = await estimate(connection, condition)
    query = NearestQuery(f"papers.vectors_{version.model_id:d}", vector, condition, limit)
    if expected <= FEW:
        return Hits(hits=await _few_one_by_one(connection, query), plan=["exact"])
    if version.indexed:
        papers = expected if condition == Condition() else max(await estimate(connection, Condition()), expected)
        if limit * papers / expected <= FAR:
            hits = await by_index(connection, query, expected, papers)
            if len(hits) == limit:
                return Hits(hits=hits, plan=["index"])
            # What matches lies far from the question: the index gave up before it had enough.
    return Hits(hits=await (_few_one_by_one if expected <= MANY else _one_by_one)(connection, query), plan=["exact"])


async def _few_one_by_one(connection: AsyncConnection[Any], query: NearestQuery) -> list[Hit]:
    # Sorted ids lead through the key's index once, in a third of the time of a join that looks up each of them; and
    # workers take longer to start than this takes.
    await connection.execute(
        "select set_config('max_parallel_workers_per_gather', '0', true), set_config('enable_sort', 'on', true)"
    )
    matching = f"select p.paper_id from papers.papers p where {query.condition.sql}"  # noqa: S608 - as above
    return await _compared(connection, query, f"where v.paper_id = any(array({matching}))")


async def _one_by_one(connection: AsyncConnection[Any], query: NearestQuery) -> list[Hit]:
    await connection.execute("select set_config('enable_sort', 'on', true)")
    condition = query.condition.sql
    matches = "" if condition == EVERYTHING else f"join papers.papers p using (paper_id) where {condition}"
    return await _compared(connection, query, matches)


async def _compared(connection: AsyncConnection[Any], query: NearestQuery, restriction: str) -> list[Hit]:
    """The nearest of the vectors that the restriction leaves.

    The subquery keeps the index of nearest neighbours out, which misses some.
    """
    sql = f"""
        select * from (
            select v.paper_id, -(v.embedding <#> %(vector)s::halfvec) as similarity
            from {query.table} v {restriction} offset 0
        ) compared
        order by similarity desc, paper_id limit %(limit)s
    """  # noqa: S608 - as above
    return [Hit.model_validate(row) for row in await rows(connection, sql, query.values, prepare=False)]
