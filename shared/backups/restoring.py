"""Restores a backup into an empty database, in an order that gives back early what most callers need.

First all tables but those of vectors, with their keys and indexes; then the vectors, by which search by meaning works
again, exactly; their index last. What was done is noted in the schema `restoring` of that database, so that a restore
which was killed goes on.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from shared.backups import building, comparing
from shared.backups.building import let_triggers_work, set_aside
from shared.backups.chunks import import_chunk
from shared.backups.comparing import note, noted
from shared.backups.definitions import objects, unlike
from shared.backups.models import Manifest, RestoredTable, RestorePlan, Table
from shared.backups.schemas import NOT_OURS
from shared.platform.errors import Conflict, TerminalError
from shared.platform.stores.migrate import apply, read
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_NOTES = f"""
create schema if not exists restoring;
create table restoring.backup (id text not null);
create table restoring.loaded (name text not null, chunk text not null, primary key (name, chunk));
{building.NOTES}
{comparing.NOTES}
"""


async def prepare(connection: AsyncConnection[Any], manifest: Manifest) -> RestorePlan:
    """Make the backup's schema in an empty database: tables without foreign keys, indexes and rows.

    Raises:
        Conflict: the database is not empty (`restore-target-not-empty`), or another backup is being restored into it.
        TerminalError: the backup is of a schema that this version of the app does not know (`backup-foreign`).
    """
    if not await _goes_on(connection, manifest):
        known = {migration.name: migration for migration in read()}
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
        await note(connection, await _make_others(connection, manifest))
        await set_aside(connection, await _tables(connection))
        for table in await _tables(connection):
            await connection.execute(f"truncate {table}".encode())  # rows that migrations bring are in the backup
    there = {table.full_name for table in manifest.tables if await _is_there(connection, table)}
    return RestorePlan(
        early=[table.full_name for table in manifest.tables if not table.late and table.full_name in there],
        late=[table.full_name for table in manifest.tables if table.late and table.full_name in there],
        differences=await noted(connection),
    )


async def load(
    connection: AsyncConnection[Any], manifest: Manifest, name: str, *, until: float = float("inf")
) -> RestoredTable:
    """Bring the rows of a table back, chunk by chunk, of which each commits; those that are there stay as they are.

    Raises:
        TerminalError: a chunk is damaged, or in the archive.
    """
    table = _table(manifest, name)
    there = {
        row["chunk"] for row in await rows(connection, "select chunk from restoring.loaded where name = %s", (name,))
    }
    await connection.commit()
    begun = False
    for chunk in table.chunks:
        if chunk.blob in there:
            continue
        if begun and monotonic() > until:
            return RestoredTable(rows=table.rows, done=False)
        begun = True
        cursor = await connection.execute(
            "insert into restoring.loaded values (%s, %s) on conflict do nothing returning name", (name, chunk.blob)
        )
        if await cursor.fetchone() is not None:
            await connection.execute("set local idle_in_transaction_session_timeout = 0")  # while a chunk is fetched
            await connection.execute("set local statement_timeout = 0")
            await import_chunk(connection, table, chunk)
        await connection.commit()
    return RestoredTable(rows=table.rows)


async def finish(connection: AsyncConnection[Any], manifest: Manifest) -> None:
    """Set the sequences on, let triggers work again as they did, and give the planner its statistics."""
    await let_triggers_work(connection, await _tables(connection))
    for sequence in manifest.sequences:  # never back, where the app has drawn from it since
        await connection.execute(
            "select setval(s.name, %s, %s) from (select to_regclass(format('%%I.%%I', %s::text, %s::text)) as name) s"
            " where s.name is not null and coalesce(pg_sequence_last_value(s.name), 0) < %s",
            (sequence.last_value, sequence.is_called, *sequence.place, sequence.last_value),
        )
    for table in await _tables(connection):
        await connection.execute(f"analyze {table}".encode())


async def forget_notes(connection: AsyncConnection[Any]) -> None:
    """Drop the notes of a restore that has ended: the database is the app's."""
    await connection.execute("drop schema restoring cascade")


async def _make_others(connection: AsyncConnection[Any], manifest: Manifest) -> list[str]:
    """Make the tables that no migration makes. What of all definitions is not as it was."""
    from psycopg import Error  # noqa: PLC0415 - the driver loads in the activity

    refused: list[str] = []
    for table in manifest.tables:
        if await _is_there(connection, table):
            continue
        for statement in table.definition:
            try:
                async with connection.transaction():
                    await connection.execute(statement.encode())
            except Error as error:
                refused.append(f"{table.full_name}: {statement[:80]}: {str(error).splitlines()[0][:200]}")
    [version] = await rows(connection, "select split_part(current_setting('server_version'), '.', 1) as major")
    if f"PostgreSQL {version['major']}." not in manifest.server_version:
        return refused  # another PostgreSQL writes definitions in other words
    return refused + unlike(manifest.objects, await objects(connection))


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
    if tables := await _tables(connection):
        raise Conflict(
            f"The database has tables already, such as {tables[0]}. A backup is restored into an empty one alone.",
            code="restore-target-not-empty",
            remedy="Create a database, and name it in POSTGRES_DSN.",
        )
    return False


async def _tables(connection: AsyncConnection[Any]) -> list[str]:
    """Every table that holds rows of the app's, quoted where that is needed."""
    found = await rows(
        connection,
        "select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name from pg_class c"  # noqa: S608 - a constant
        f" join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and {NOT_OURS}"
        " and not exists (select from pg_depend d"
        "   where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')"
        " and (n.nspname, c.relname) <> ('public', 'schema_migrations') order by c.oid",
    )
    return [row["name"] for row in found]


def _table(manifest: Manifest, name: str) -> Table:
    [table] = [one for one in manifest.tables if one.full_name == name]
    return table
