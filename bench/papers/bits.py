"""Vectors of 1,536 numbers: an index of bits with the nearest re-ranked in half precision, beside one of the halves.

Measured on fewer papers and projected to a million: size in proportion, building time as n log n; the time of a search
grows more slowly than the number of papers, and is not projected. The vectors are made: those of the static model,
taken to 1,536 dimensions by a seeded random layer, since no model of that width comes without a download.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from bench.papers.data import papers, pool, vectors_of
from bench.papers.prepared import BUFFERS
from bench.report import comparison, console
from local.postgres import server
from shared.papers.embedding.embedders.static import StaticEmbedder

DIMENSIONS, PROJECTED, NEAREST, QUESTIONS = 1_536, 1_000_000, 10, 40
WAYS = {
    "halves, looking at 100": ("halves", 100, 0),
    "halves, looking at 200": ("halves", 200, 0),
    "bits, 100 re-ranked": ("bits", 100, 100),
    "bits, 400 re-ranked": ("bits", 400, 400),
    "bits, 800 re-ranked": ("bits", 800, 800),
}
INDEXES = {
    "halves": "(embedding halfvec_ip_ops)",
    "bits": f"((binary_quantize(embedding)::bit({DIMENSIONS})) bit_hamming_ops)",
}


def main(*, quick: bool) -> None:
    """Measure and print."""
    count = 10_000 if quick else 100_000
    with tempfile.TemporaryDirectory(prefix="manifold-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server may be another user's, where this one is root
        with (
            server(f"{folder}/postgres", buffers=BUFFERS) as postgres,
            psycopg.connect(postgres.dsn, autocommit=True) as connection,
        ):
            connection.execute("create extension if not exists vector")
            register_vector(connection)
            _report(connection, count)


def _report(connection: psycopg.Connection, count: int) -> None:
    vectors, questions = _made(count)
    connection.execute(f"create table papers (number int primary key, embedding halfvec({DIMENSIONS}))".encode())
    with connection.cursor().copy("copy papers from stdin (format binary)") as copy:
        copy.set_types(["int4", "halfvec"])
        for number, vector in enumerate(vectors):
            copy.write_row((number, HalfVector(vector)))
    connection.execute("vacuum analyze papers")
    built = {name: _build(connection, name, on) for name, on in INDEXES.items()}
    halves = vectors.astype(np.float16).astype(np.float32)
    truth = [set(np.argsort(-(halves @ one))[:NEAREST].tolist()) for one in questions]
    table = comparison(
        f"{count:,} papers x {DIMENSIONS:,}, {QUESTIONS} questions; projected to {PROJECTED:,}",
        ("index", "p50 ms", "p95 ms", "recall@10", "MB", "built s", "projected GB", "projected min"),
    )
    scale = PROJECTED / count
    longer = scale * math.log(PROJECTED) / math.log(count)
    for title, (name, width, again) in WAYS.items():
        times, recall = _measure(connection, questions, truth, width, again)
        size, seconds = built[name]
        table.add_row(
            title, f"{median(times):.1f}", f"{sorted(times)[int(len(times) * 0.95)]:.1f}", f"{recall:.3f}",
            f"{size / 1e6:,.0f}", f"{seconds:,.0f}", f"{size * scale / 1e9:.1f}", f"{seconds * longer / 60:,.0f}",
        )  # fmt: skip
    console.print(table)
    console.print("The projected columns were not measured.")


def _made(count: int) -> tuple[Any, Any]:
    """Vectors of papers and of questions, of length 1 before their centre is taken off."""
    model, made_of = StaticEmbedder.loaded(), pool()
    layer = np.random.default_rng(1).standard_normal((model.dimensions, DIMENSIONS)).astype(np.float32)
    everyone = papers(count, made_of)
    parts: list[Any] = []
    while some := list(islice(everyone, 10_000)):
        parts.append(vectors_of(made_of, model.word_vectors, some))
    known = made_of.sentences
    asked = asyncio.run(model.embed([known[(at * 7919) % len(known)] for at in range(QUESTIONS)])).vectors
    wide = [np.tanh(2 * (one @ layer)) for one in (np.concatenate(parts), asked)]
    vectors, questions = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in wide)
    return vectors - vectors[:500].mean(axis=0), questions


def _build(connection: psycopg.Connection, name: str, on: str) -> tuple[int, float]:
    """Bytes of an index, and the seconds that it took."""
    connection.execute("set maintenance_work_mem = '2GB'")
    began = time.perf_counter()
    connection.execute(f"create index {name} on papers using hnsw {on} with (m = 24, ef_construction = 100)".encode())
    seconds = time.perf_counter() - began
    [(size,)] = connection.execute("select pg_relation_size(%s::regclass)", (name,)).fetchall()
    return size, seconds


def _measure(
    connection: psycopg.Connection, questions: Any, truth: list[set[int]], width: int, again: int
) -> tuple[list[float], float]:
    times: list[float] = []
    found = 0
    near = "select number from papers order by embedding <#> %(asked)s limit 10"
    if again:
        near = f"""
            select number from (
                select number, embedding from papers
                order by binary_quantize(embedding)::bit({DIMENSIONS}) <~> binary_quantize(%(asked)s) limit {again}
            ) near order by embedding <#> %(asked)s limit 10
        """
    with connection.transaction():
        connection.execute(f"set local hnsw.ef_search = {width}".encode())
        connection.execute("set local enable_seqscan = off")
        for one, wanted in zip(questions, truth, strict=True):
            began = time.perf_counter()
            rows = connection.execute(near.encode(), {"asked": HalfVector(one)}).fetchall()
            times.append((time.perf_counter() - began) * 1000)
            found += len({number for (number,) in rows} & wanted)
    return times, found / (NEAREST * len(truth))
