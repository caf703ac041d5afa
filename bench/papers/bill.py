"""The monthly bill of 1 and of 10 million papers, beside what the predecessor's own documents say.

Metered on this machine: bytes of a paper in tables and indexes, seconds to take one in and to embed it, and the time of
a search. What is used per month is assumed, and printed. The database cannot scale to zero: it is most of the bill.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from statistics import median

import psycopg

from bench.bill import FREE_EXECUTIONS, FREE_GB_SECONDS, INSTANCE_GB, SOURCE, flex
from bench.papers.data import papers, pool
from bench.papers.ingest import seconds_of_an_ingest
from bench.papers.prepared import library
from bench.report import comparison, console
from shared.papers.embedding.embedders.static import StaticEmbedder
from shared.papers.search.search import Question, search

HOURS = 730
CORE_HOUR = 0.356 / 4
"""Dollars of a vCore of the general purpose tier."""
MEMORY_OF_A_CORE = 4
CORES = (2, 4, 8, 16, 32)
STORAGE_GB, BLOB_GB = 0.115, 0.0184
LOG_SHARE = 1.3
"""Storage beyond the tables: the write-ahead log, and room for an index that is being built."""
SEARCHES, CHANGED = 100_000, 0.02
"""A month: searches, and the share of the papers that are new or changed."""
TOKENS, DOLLARS_PER_MILLION_TOKENS = 250, 0.02
MINUTES = HOURS * 60
REPLACED = {1_000_000: 271.0, 10_000_000: 702.0}


@dataclass(frozen=True, slots=True)
class Metered:
    """What a paper takes: bytes of its row, its vector and its place in the index, and seconds."""

    row_bytes: float
    hot_bytes: float
    file_bytes: float
    ingest_seconds: float
    embed_seconds: float
    search_seconds: float


def main(*, quick: bool) -> None:
    """Measure and print."""
    metered = _metered(2_000 if quick else 20_000)
    table = comparison(
        "A month",
        ("papers", "database", "its storage", "functions", "blobs", "together", "replaced system's documents"),
    )
    for count, replaced in REPLACED.items():
        cores = next(one for one in CORES if one * MEMORY_OF_A_CORE * 1e9 * 0.75 >= count * metered.hot_bytes)
        database = cores * CORE_HOUR * HOURS
        storage = max(32, count * metered.row_bytes * LOG_SHARE / 1e9) * STORAGE_GB
        functions, used = _functions(count, metered)
        blobs = count * metered.file_bytes / 1e9 * BLOB_GB
        table.add_row(
            f"{count:,}", f"${database:,.0f} ({cores} vCores)", f"${storage:,.2f}",
            f"${functions:,.2f} ({used:,.0f} GB-s)", f"${blobs:,.2f}",
            f"${database + storage + functions + blobs:,.0f}", f"${replaced:,.0f}",
        )  # fmt: skip
    console.print(table)
    console.print(
        f"{SOURCE}; storage of PostgreSQL at ${STORAGE_GB}/GB. Metered: {metered.row_bytes:,.0f} bytes a paper in all,"
        f" of which {metered.hot_bytes:,.0f} (rows, vectors, index of nearest neighbours) should fit three quarters of"
        f" the memory; {metered.ingest_seconds * 1e6:,.0f} us to take one in, {metered.embed_seconds * 1e6:,.0f} us to"
        f" embed it, {metered.search_seconds * 1000:,.0f} ms a search, billed as a second. Assumed: {SEARCHES:,}"
        f" searches, {CHANGED:.0%} of the papers new or changed, the minute timer. All that ingests, embeds and serves"
        " scales to zero; the database does not. The replaced system's figures count 8 vCores as $292, which is little"
        " more than half of today's price. By text-embedding-3-small all vectors cost"
        f" ${TOKENS * DOLLARS_PER_MILLION_TOKENS:,.2f} once for each million papers, by its Batch API half of that."
    )


def _metered(sample: int) -> Metered:
    with library(100_000) as dsn:
        with psycopg.connect(dsn) as connection:
            [(rows, hot, count)] = connection.execute(_BYTES).fetchall()
        searched = asyncio.run(_searched())
    texts = [f"{one.title} {one.abstract}" for one in papers(sample, pool())]
    model = StaticEmbedder.loaded()
    began = time.perf_counter()
    for begin in range(0, sample, model.most_texts):
        asyncio.run(model.embed(texts[begin : begin + model.most_texts]))
    embedded = (time.perf_counter() - began) / sample
    ingested, file_bytes = seconds_of_an_ingest(sample)
    return Metered(rows / count, hot / count, file_bytes / sample, ingested / sample, embedded, searched)


async def _searched() -> float:
    times: list[float] = []
    for _ in range(10):
        began = time.perf_counter()
        await search(Question(written="we propose a model of language", limit=20))
        times.append(time.perf_counter() - began)
    return median(times)


def _functions(count: int, metered: Metered) -> tuple[float, float]:
    """Dollars of the functions beyond the free grant, and the GB-seconds in all."""
    work = count * CHANGED * (metered.ingest_seconds + metered.embed_seconds)
    used = (work + SEARCHES * max(1.0, metered.search_seconds) + MINUTES) * INSTANCE_GB
    return flex(max(0.0, used - FREE_GB_SECONDS), max(0.0, SEARCHES + MINUTES - FREE_EXECUTIONS)), used


_BYTES = """
select sum(pg_total_relation_size(c.oid))::float8,
    sum(case when c.relname = 'papers' then pg_relation_size(c.oid)
        else pg_total_relation_size(c.oid) end) filter (where c.relname = 'papers' or c.relname ~ '^vectors_')::float8,
    (select count(*) from papers.papers)
from pg_class c where c.relnamespace = 'papers'::regnamespace and c.relkind = 'r'
"""
