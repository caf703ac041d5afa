"""Restore a backup into an empty database: `make restore`, or `python -m shared.backups`.

The database is the one that POSTGRES_DSN names, the backups are those of the storage account that the settings name. A
restore that was broken off goes on when it is started again.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from shared.backups.files import read_manifest
from shared.backups.models import Manifest
from shared.backups.restoring import build, compare, finish, forget_notes, load, prepare
from shared.platform.errors import ManifoldError
from shared.platform.stores.postgres import close_pools, database

T = TypeVar("T")


async def restore(manifest: Manifest, took: Callable[[str, float], None] = lambda _name, _seconds: None) -> bool:
    """Restore step by step; whether the database now holds what the backup says. `took` is told each step's seconds."""

    async def timed(what: str, work: Awaitable[T]) -> T:
        began = monotonic()
        answer = await work
        _say(f"{monotonic() - began:8.1f} s  {what}")
        took(what, monotonic() - began)
        return answer

    _say(f"Backup {manifest.id} of {manifest.database}: {sum(one.rows for one in manifest.tables):,} rows.")
    async with database() as connection:
        plan = await timed("schema", prepare(connection, manifest))
    await timed("metadata, text and map", _load_all(manifest, plan.early))
    await timed("their keys and indexes", _build(late=False))
    async with database() as connection:
        await timed("sequences, triggers, statistics", finish(connection, manifest))
    async with database() as connection:
        early = await timed("check of every row: the app can serve", compare(connection, manifest, late=False))
    await timed("vectors: filtered search by meaning, exactly", _load_all(manifest, plan.late))
    await timed("index of the vectors", _build(late=True))
    async with database() as connection:
        late = await timed("check of the vectors", compare(connection, manifest, late=True))
        await forget_notes(connection)
    differences = [*early.differences, *late.differences]
    for difference in differences:
        _say(f"  differs: {difference}")
    _say(
        "The database is not what the backup says: restore another one."
        if differences
        else f"All {early.tables + late.tables} tables hold what the backup says."
    )
    return not differences


async def _load_all(manifest: Manifest, tables: list[str]) -> None:
    for name in tables:
        async with database() as connection:
            rows = await load(connection, manifest, name)
        if rows:
            _say(f"    {name:<44}{rows:>14,} rows")


async def _build(*, late: bool) -> None:
    async with database() as connection:
        await build(connection, late=late)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _main(backup: str) -> int:
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # one line says that the server is not there, not twenty
    try:
        return 0 if await restore(await read_manifest(backup)) else 1
    except ManifoldError as error:
        sys.stderr.write(f"restore: {error}\n")
        return 1
    finally:
        await close_pools()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m shared.backups", description=__doc__)
    parser.add_argument("backup", nargs="?", default="latest", help="id of the backup; the newest if none is named")
    sys.exit(asyncio.run(_main(parser.parse_args().backup)))
