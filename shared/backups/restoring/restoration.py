"""A whole restore, step by step, each with its seconds."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from shared.backups.blobs.carrying import bring_back
from shared.backups.models import Manifest
from shared.backups.restoring import building, rights, while_serving
from shared.backups.restoring.loading import analyze, compute_views, finish, forget_notes, load
from shared.backups.restoring.preparing import prepare
from shared.backups.verification.comparing import noted
from shared.platform.stores.postgres import database

if TYPE_CHECKING:
    from psycopg import AsyncConnection

T = TypeVar("T")


async def restore(manifest: Manifest, *, app_role: str | None = None) -> bool:
    """Restore step by step, saying each step's seconds; whether the database now holds what the backup says.

    With `app_role`, what is made belongs to the owner of everything, and that role may use it.

    Raises:
        InvalidInput, Conflict: as `rights.prepare_owner`.
    """
    say(f"Backup {manifest.id} of {manifest.database}: {sum(one.rows for one in manifest.tables):,} rows.")
    one = _Restore(manifest, await rights.prepare_owner(app_role))
    async with one.target() as connection:
        plan = await one.timed("schema", prepare(connection, manifest))
    await one.timed("metadata, text and map", one.early(plan.early))
    await one.timed("their keys and indexes", one.build(late=False))
    async with one.target() as connection:
        await one.timed("sequences, triggers, statistics", finish(connection, manifest))
    if app_role is not None:
        await rights.grant_rows(app_role)
    async with one.target() as connection:
        await one.timed("check of every row: the app can serve", while_serving.check_early(connection, manifest))
    await one.timed("vectors: filtered search by meaning, exactly", one.late(plan.late))
    await one.timed("index of the vectors", one.build(late=True))
    async with one.target() as connection:
        differ, since = await one.timed("check of the vectors", while_serving.check(connection, manifest))
        differences = [*await noted(connection), *differ]
        if views := await compute_views(connection):
            say(f"    {views} views that keep their rows")
        await forget_notes(connection)
    for change in since:
        say(f"  {change}")
    for difference in differences:
        say(f"  differs: {difference}")
    say(
        "The database is not what the backup says: restore another one, or make by hand what differs."
        if differences
        else f"All {len(manifest.tables)} tables hold what the backup says."
    )
    return not differences


def say(line: str) -> None:
    """Tell who restores, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class _Restore:
    """One restore.

    Attributes:
        owner: the role that everything will belong to; None: to who restores.
    """

    manifest: Manifest
    owner: str | None

    async def timed(self, what: str, work: Awaitable[T]) -> T:
        began = monotonic()
        answer = await work
        say(f"{monotonic() - began:8.1f} s  {what}")
        return answer

    @asynccontextmanager
    async def target(self) -> AsyncGenerator[AsyncConnection[Any]]:
        async with database() as connection:
            if self.owner is not None:
                await rights.act_as(connection, self.owner)
            yield connection

    async def early(self, tables: list[str]) -> None:
        await self.load_all(tables)
        if written := await bring_back(self.manifest):
            say(f"    {written} files of maps")

    async def late(self, tables: list[str]) -> None:
        await self.load_all(tables)
        async with self.target() as connection:
            await analyze(connection, tables)

    async def load_all(self, tables: list[str]) -> None:
        for name in tables:
            async with self.target() as connection:
                loaded = await load(connection, self.manifest, name)
            if loaded.rows:
                say(f"    {name:<44}{loaded.rows:>14,} rows")

    async def build(self, *, late: bool) -> None:
        async with self.target() as connection:
            await building.build(connection, late=late)
