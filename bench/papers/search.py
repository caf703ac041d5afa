"""The filter contract: at every selectivity all the papers that were asked for, and which of the nearest are missed.

Beside ours, in one table and on the same papers: each vector compared (the truth), the index of nearest neighbours with
a WHERE as it is commonly used, and the predecessor's IVFFlat.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from statistics import median
from typing import Any

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from bench.papers.data import SHARES, pool
from bench.papers.prepared import library
from bench.report import comparison, console
from shared.papers.embedding import versions
from shared.papers.embedding.embedders.static import StaticEmbedder
from shared.papers.search.filtering.conditions import Condition, condition_of
from shared.papers.search.filtering.filters import parse
from shared.papers.search.models import Question
from shared.papers.search.ranking.nearest import nearest
from shared.papers.search.search import search
from shared.platform.stores.postgres import database

NEAREST = 10
QUESTIONS = 60
BETWEEN = {
    "6.5%": "year between 2001 and 2002",
    "4.8%": "category = half and year between 2001 and 2003",
    "3.2%": "year = 2001",
    "2.3%": "category = tenth and year between 2001 and 2007",
    "1.6%": "category = half and year = 2001",
}
"""Shares at which the way changes from the index to one by one; measured for ours alone."""
FILTERS = {"none": "", **{f"{share:.1%}": f"category = {name}" for name, share in SHARES.items()}, **BETWEEN}
MORE = {"none": (100, 500, 1_000), "50.0%": (100,), "10.0%": (100,), "3.2%": (100,)}
"""Answers longer than NEAREST, for ours alone."""
HALF = 0.5
"""Of its nearest: a question of which less is found was answered from elsewhere, which a mean hides."""
WARMING = 2
"""Questions before the measured ones, where each vector is compared; of the quick ways all."""


def main(*, quick: bool) -> None:
    count = 100_000 if quick else 1_000_000
    with library(count) as dsn:
        _ivfflat(dsn, count)
        table = comparison(
            f"The {NEAREST} nearest of {count:,} papers x 256, {QUESTIONS} questions",
            ("filter", "how", "p50 ms", "p95 ms", "recall", "under half", "fewest"),
        )
        asyncio.run(_measured(dsn, table))
        console.print(table)


async def _measured(dsn: str, table: Any) -> None:
    model = StaticEmbedder.loaded()
    known = pool().sentences
    questions = [known[(number * 7919) % len(known)] for number in range(QUESTIONS)]
    vectors = [HalfVector(one) for one in (await model.embed(questions)).vectors]
    version = await versions.current()
    assert version is not None
    with psycopg.connect(dsn, autocommit=True) as connection:
        register_vector(connection)
        for name, written in FILTERS.items():
            condition = condition_of(parse(written) if written else None)

            async def ours(vector: Any, condition: Condition = condition, limit: int = NEAREST) -> list[Any]:
                async with database() as db:
                    found = await nearest(db, version, str(vector.to_list()), condition, limit)
                return [hit.paper_id for hit in found.hits]

            longest = max(MORE.get(name, (NEAREST,)))
            truth = [
                _peer(connection, condition, vector, "exact", version.model_id, limit=longest) for vector in vectors
            ]
            nearest_ones = [one[:NEAREST] for one in truth]
            await _row(table, (name, "ours"), ours, vectors, nearest_ones)
            for peer in () if name in BETWEEN else ("exact", "hnsw with WHERE", "ivfflat"):

                async def theirs(vector: Any, peer: str = peer, condition: Condition = condition) -> list[Any]:
                    return _peer(connection, condition, vector, peer, version.model_id)

                await _row(table, ("", peer), theirs, vectors, nearest_ones)
            for limit in MORE.get(name, ()):
                wanted = [one[:limit] for one in truth]
                await _row(table, ("", f"ours, the {limit:,} nearest"), partial(ours, limit=limit), vectors, wanted)
    times: list[float] = []
    for _ in range(3):
        await search(Question(written="we propose a model", limit=NEAREST))
    for _ in range(20):
        began = time.perf_counter()
        assert len((await search(Question(written="we propose a model", limit=NEAREST))).results) == NEAREST
        times.append((time.perf_counter() - began) * 1000)
    table.add_row("none", "ours: by meaning and the commonest words", *_times(times), "", "", "10")


async def _row(
    table: Any, name: tuple[str, str], ask: Callable[[Any], Awaitable[list[Any]]], vectors: list[Any], truth: list[Any]
) -> None:
    for vector in vectors[:WARMING] if "exact" in name else vectors:
        await ask(vector)  # what is read from the disk once belongs to the start of the server
    times: list[float] = []
    recalls: list[float] = []
    fewest = len(truth[0])
    for vector, wanted in zip(vectors, truth, strict=True):
        began = time.perf_counter()
        found = await ask(vector)
        times.append((time.perf_counter() - began) * 1000)
        fewest = min(fewest, len(found))
        recalls.append(len(set(found) & set(wanted)) / max(len(wanted), 1))
    caught = sum(recall < HALF for recall in recalls)
    table.add_row(*name, *_times(times), f"{sum(recalls) / len(recalls):.3f}", str(caught), str(fewest))


def _times(times: list[float]) -> tuple[str, str]:
    return f"{median(times):.1f}", f"{sorted(times)[int(len(times) * 0.95)]:.1f}"


def _peer(
    connection: psycopg.Connection, condition: Condition, vector: Any, peer: str, model_id: int, *, limit: int = NEAREST
) -> list[Any]:
    with connection.transaction():
        order = "(v.embedding <#> %(vector)s) + 0" if peer == "exact" else "v.embedding <#> %(vector)s"
        table = "bench_ivfflat" if peer == "ivfflat" else f"papers.vectors_{model_id}"
        if peer != "exact":
            connection.execute("set local ivfflat.probes = 10")
            connection.execute("set local enable_seqscan = off")
            connection.execute("set local enable_sort = off")
        found = connection.execute(
            f"select v.paper_id from {table} v join papers.papers p using (paper_id) where {condition.sql}"
            f" order by {order} limit {limit}".encode(),
            {**condition.values, "vector": vector},
        ).fetchall()
    return [one for (one,) in found]


def _ivfflat(dsn: str, count: int) -> None:
    """The predecessor's index, on a copy of the vectors."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        [(known,)] = connection.execute("select to_regclass('bench_ivfflat') is not null").fetchall()
        if known:
            return
        [(model_id,)] = connection.execute("select model_id from papers.models").fetchall()
        connection.execute(f"create table bench_ivfflat as select * from papers.vectors_{model_id}".encode())
        connection.execute("set maintenance_work_mem = '1GB'")
        connection.execute(
            "create index on bench_ivfflat using ivfflat (embedding halfvec_ip_ops)"
            f" with (lists = {count // 1000})".encode()
        )
        connection.execute("vacuum analyze bench_ivfflat")
