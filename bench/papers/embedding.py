"""A million abstracts turned into vectors and stored, by as many workers at once as an orchestration has."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench.papers.prepared import library
from bench.report import comparison, console, ratio
from orchestrators.papers.embedding import WORKERS
from shared.papers.embedding.embedders.static import StaticEmbedder
from shared.papers.embedding.embedders.texts import embedding_text
from shared.papers.embedding.embedding import embed_box
from shared.papers.embedding.models import EmbedShare
from shared.platform.settings import read_group
from shared.platform.stores.postgres import close_pools

LIMIT_MINUTES = 40
SAMPLE = 20_000
"""Abstracts that the model is given alone."""
COPY = "embedding_bench"
SHOWN_EVERY = 30
"""Seconds."""


def main(*, quick: bool) -> None:
    count = 100_000 if quick else 1_000_000
    with library(count) as prepared, _without_vectors(prepared) as (dsn, model_id):
        alone = asyncio.run(_alone(dsn))
        seconds = asyncio.run(_embedded(dsn, EmbedShare(model_id=model_id, embedder="static"), count))
        with psycopg.connect(dsn) as connection:
            [(stored,)] = connection.execute(f"select count(*) from papers.vectors_{model_id}".encode()).fetchall()
    if stored != count:
        raise SystemExit(f"Of {count:,} papers {stored:,} have a vector.")
    table = comparison(
        f"{count:,} abstracts embedded by {WORKERS} workers", ("how", "abstracts/s", "of the model", "1 M")
    )
    for how, rate in (("claimed, embedded, stored", count / seconds), ("the model alone, nothing stored", alone)):
        table.add_row(how, f"{rate:,.0f}", ratio(rate, alone), f"{1e6 / rate / 60:.1f} min")
    table.add_row("to reach", f"{1e6 / LIMIT_MINUTES / 60:,.0f}", "", f"{LIMIT_MINUTES} min")
    console.print(table)


@contextmanager
def _without_vectors(prepared: str) -> Generator[tuple[str, int]]:
    """The DSN of a copy in which every paper waits for its vector, and the version's number."""
    dsn = make_conninfo(prepared, dbname=COPY)
    with psycopg.connect(make_conninfo(prepared, dbname="postgres"), autocommit=True) as server:
        source = conninfo_to_dict(prepared)["dbname"]
        server.execute(f"drop database if exists {COPY}".encode())
        server.execute(f'create database {COPY} template "{source}" strategy file_copy'.encode())
        try:
            with psycopg.connect(dsn, autocommit=True) as copy:
                [(model_id,)] = copy.execute("select model_id from papers.models").fetchall()
                copy.execute("select papers.drop_vectors(%s::smallint)", (model_id,))
                copy.execute("select papers.make_vectors(%s::smallint)", (model_id,))
                copy.execute(
                    "insert into papers.unembedded (model_id, paper_id) select %s, paper_id from papers.papers"
                    " on conflict do nothing",
                    (model_id,),
                )
                copy.execute("vacuum analyze papers.unembedded")
            os.environ["POSTGRES_DSN"] = dsn
            read_group.cache_clear()
            yield dsn, model_id
        finally:
            os.environ["POSTGRES_DSN"] = prepared
            read_group.cache_clear()
            server.execute(f"drop database {COPY} with (force)".encode())


async def _alone(dsn: str) -> float:
    """Abstracts a second of the model, on as many threads as there are workers."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute("select title, abstract from papers.papers limit %s", (SAMPLE,)).fetchall()
    texts = [embedding_text(title, abstract) for title, abstract in found]
    model = StaticEmbedder.loaded()
    batches = [texts[begin : begin + model.most_texts] for begin in range(0, len(texts), model.most_texts)]
    turns = asyncio.Semaphore(WORKERS)

    async def one(batch: list[str]) -> None:
        async with turns:
            await model.embed(batch)

    began = time.perf_counter()
    await asyncio.gather(*(one(batch) for batch in batches))
    return len(texts) / (time.perf_counter() - began)


async def _embedded(dsn: str, share: EmbedShare, count: int) -> float:
    """Seconds until all papers have a vector."""

    async def work() -> None:
        while not (await embed_box(share)).done:
            pass

    began = time.perf_counter()
    async with _progress(dsn, share.model_id, count):
        await asyncio.gather(*(work() for _ in range(WORKERS)))
    seconds = time.perf_counter() - began
    await close_pools()
    return seconds


@asynccontextmanager
async def _progress(dsn: str, model_id: int, count: int) -> AsyncGenerator[None]:
    async def show() -> None:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            while True:
                await asyncio.sleep(SHOWN_EVERY)
                cursor = await connection.execute(
                    "select coalesce(sum(texts), 0)::int from papers.embedding_usage where model_id = %s", (model_id,)
                )
                [(done,)] = await cursor.fetchall()
                console.print(f"{done:,} of {count:,} abstracts embedded")

    shown = asyncio.create_task(show())
    try:
        yield
    finally:
        shown.cancel()
        with suppress(asyncio.CancelledError):
            await shown
