"""The schema of a backup, made in an empty database: tables without foreign keys, indexes and rows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from shared.backups.contents.schemas import tables
from shared.backups.models import Manifest, RestorePlan, Table
from shared.backups.restoring import building, while_serving
from shared.backups.restoring.making import make_others
from shared.backups.verification import comparing
from shared.platform.errors import Conflict, TerminalError
from shared.platform.stores.migrate import apply, read
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_NOTES = f"""
create schema if not exists restoring;
create table restoring.backup (id text not null);
create table restoring.loaded (
    name text not null, chunk text not null,
    -- Of the chunk's rows, but for those that the app had written before: how many, and the sum of their hashes.
    version text not null default pg_current_xact_id()::xid::text, kept int8 not null default 0,
    kept_total numeric not null default 0, primary key (name, chunk)
);
{building.NOTES}
{while_serving.NOTES}
{comparing.NOTES}
"""


async def prepare(connection: AsyncConnection[Any], manifest: Manifest) -> RestorePlan:
    """Make the backup's schema in an empty database: tables without foreign keys, indexes and rows.

    Raises:
        Conflict: the database is not empty (`restore-target-not-empty`), or another backup is being restored into it.
        TerminalError: the backup is of a schema that this version of the app does not know (`backup-foreign`).
    """
    if not await _goes_on(connection, manifest):
        known = {migration.name: migration for migration in await asyncio.to_thread(read)}
        for migration in manifest.migrations:
            if migration.name not in known or known[migration.name].digest != migration.sha256:
                raise TerminalError(
                    f"The backup {manifest.id} is of a schema that this version does not know: {migration.name}.",
                    code="backup-foreign",
                    remedy="Restore it with the version of the app that took it.",
                )
        await connection.execute(_NOTES.encode())
        await connection.execute("insert into restoring.backup values (%s)", (manifest.id,))
        await apply(connection, [known[migration.name] for migration in manifest.migrations])
        await comparing.note(connection, await make_others(connection, manifest))
        await building.set_aside(connection, await tables(connection))
        for table in await tables(connection):
            await connection.execute(f"truncate {table}".encode())  # rows that migrations bring are in the backup
    there = {table.full_name for table in manifest.tables if await _is_there(connection, table)}
    return RestorePlan(
        early=[table.full_name for table in manifest.tables if not table.late and table.full_name in there],
        late=[table.full_name for table in manifest.tables if table.late and table.full_name in there],
        differences=await comparing.noted(connection),
    )


async def _is_there(connection: AsyncConnection[Any], table: Table) -> bool:
    found = await connection.execute("select to_regclass(format('%%I.%%I', %s::text, %s::text))", table.place)
    return await found.fetchone() != (None,)


async def _goes_on(connection: AsyncConnection[Any], manifest: Manifest) -> bool:
    """Whether this backup is being restored into the database already; else it must be empty."""
    notes = await rows(connection, "select to_regclass('restoring.backup') is not null as there")
    if notes[0]["there"]:
        [noted] = await rows(connection, "select id from restoring.backup")
        if noted["id"] == manifest.id:
            return True
        raise Conflict(
            f"The backup {noted['id']} is being restored into this database, not {manifest.id}.",
            code="restore-target-not-empty",
            remedy="Go on with that one, or name an empty database.",
        )
    if there := await tables(connection):
        raise Conflict(
            f"The database has tables already, such as {there[0]}. A backup is restored into an empty one alone.",
            code="restore-target-not-empty",
            remedy="Create a database, and name it in POSTGRES_DSN.",
        )
    return False
