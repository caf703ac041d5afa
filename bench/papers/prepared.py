"""A database of made-up papers with vectors and an index, kept between runs."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from bench.papers.data import MadeUp, papers, pool, vectors_of
from bench.report import console
from local.postgres import server
from shared.papers.embedding.centre import SAMPLE
from shared.papers.embedding.embedders.static import StaticEmbedder
from shared.papers.sources.text import folded
from shared.platform.settings import read_group
from shared.platform.stores.postgres import close_pools

FOLDER = Path(__file__).parents[2] / ".local-bench"
BATCH = 20_000
BUFFERS = "2GB"
"""What a server of 8 GB has in Azure, the smallest that a million papers are meant for."""
_COPY = (
    "copy papers.papers (paper_id, source, source_id, title, abstract, authors, author_keys, categories, primary_date,"
    " content_hash) from stdin (format binary)"
)
_TYPES = ["uuid", "text", "text", "text", "text", "text[]", "text[]", "text[]", "date", "bytea"]


@contextmanager
def library(count: int) -> Generator[str]:
    """The DSN of a server with so many papers; made by the first run, which takes minutes."""
    FOLDER.mkdir(mode=0o755, exist_ok=True)
    with server(FOLDER / f"papers-{count}", buffers=BUFFERS) as postgres:
        os.environ["POSTGRES_DSN"] = postgres.dsn
        read_group.cache_clear()
        subprocess.run([sys.executable, "-m", "shared.platform.stores.migrate"], check=True, stdout=subprocess.DEVNULL)
        with psycopg.connect(postgres.dsn, autocommit=True) as connection:
            register_vector(connection)
            [(known,)] = connection.execute(
                "select count(*) from papers.models where current_since is not null"
            ).fetchall()
            if not known:
                _fill(connection, count)
        yield postgres.dsn
        asyncio.run(close_pools())


def _fill(connection: psycopg.Connection, count: int) -> None:
    began = time.perf_counter()
    made_of = pool()
    model = StaticEmbedder.loaded()
    connection.execute("truncate papers.papers, papers.models cascade")
    connection.execute(
        "insert into papers.models (name, version, dimensions, state) values ('static', %s, 256, 'current')",
        (model.version,),
    )
    [(model_id,)] = connection.execute("select model_id from papers.models").fetchall()
    connection.execute("select papers.make_vectors(%s::smallint)", (model_id,))
    # Built over all rows at once, an index takes a fraction of the time that it takes row by row.
    indexes = connection.execute(
        "select indexname, indexdef from pg_indexes where schemaname = 'papers' and tablename = 'papers'"
        " and indexdef like 'CREATE INDEX%%'",
        (),
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"drop index papers.{name}".encode())
    everyone = papers(count, made_of)
    centre = None
    while made := list(itertools.islice(everyone, BATCH)):
        found = vectors_of(made_of, model.word_vectors, made)
        if centre is None:
            centre = found[:SAMPLE].mean(axis=0)
            connection.execute("update papers.models set centre = %s", (centre.tolist(),))
        _load(connection, model_id, made, found - centre)
        if made[-1].number % 100_000 == 99_999:
            console.print(f"{made[-1].number + 1:,} papers loaded in {time.perf_counter() - began:,.0f} s")
    connection.execute("set maintenance_work_mem = '1GB'")
    for _, definition in indexes:
        connection.execute(definition.encode())
    loaded = time.perf_counter()
    connection.execute("select papers.index_vectors(%s::smallint, '2GB')", (model_id,))
    connection.execute("vacuum analyze papers.papers")
    connection.execute(f"vacuum analyze papers.vectors_{model_id}".encode())
    connection.execute("update papers.models set current_since = now()")
    console.print(
        f"{count:,} papers prepared: loaded in {loaded - began:,.0f} s,"
        f" indexed in {time.perf_counter() - loaded:,.0f} s."
    )


def _load(connection: psycopg.Connection, model_id: int, made: list[MadeUp], vectors: Any) -> None:
    with connection.transaction(), connection.cursor().copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for one in made:
            authors = [f"A. Author{one.number % 5000}", f"B. Second{one.number % 777}"]
            keys = sorted({part for name in authors for part in folded(name).split()})
            copy.write_row(
                (UUID(int=one.number), "arxiv", str(one.number), one.title, one.abstract, authors, keys,
                 one.categories, date(one.year, 5, 6), one.number.to_bytes(8, "big"))
            )  # fmt: skip
    statement = f"copy papers.vectors_{model_id} (paper_id, cut, embedding) from stdin (format binary)"
    with connection.cursor().copy(statement.encode()) as copy:
        copy.set_types(["uuid", "bool", "halfvec"])
        for one, vector in zip(made, vectors, strict=True):
            copy.write_row((UUID(int=one.number), False, HalfVector(vector)))
