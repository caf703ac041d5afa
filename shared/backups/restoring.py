"""Restores a backup into an empty database, in an order that gives back early what most callers need.

First all tables but those of vectors, with their keys and indexes; then the vectors, by which search by meaning works
again, exactly; their index last. What was done is noted in the schema `restoring` of that database, so that a restore
which was killed goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backups.catalog import NOT_OURS, checksum, same_texts
from shared.backups.chunks import import_chunk
from shared.backups.models import Manifest, RestorePlan, Table, Verdict
from shared.platform.errors import Conflict, TerminalError
from shared.platform.stores.migrate import apply, read
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

SHOWN = 10

_NOTES = """
create schema restoring;
create table restoring.backup (id text not null);
create table restoring.loaded (name text primary key);
create table restoring.definitions (
    place int generated always as identity, late bool not null, statement text not null
);
"""

# Foreign keys and indexes that belong to no key. What belongs to vectors is late.
_TO_BUILD = f"""
insert into restoring.definitions (late, statement)
select late, statement from (
    select 1 as kind, x.indexrelid as made, a.amname in ('hnsw', 'ivfflat') as late,
           replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') as statement -- with those of a table's parts
    from pg_index x join pg_class c on c.oid = x.indexrelid join pg_am a on a.oid = c.relam
    join pg_namespace n on n.oid = c.relnamespace
    where {NOT_OURS} and not x.indisprimary and not exists (select from pg_constraint k where k.conindid = x.indexrelid)
      and not exists (select from pg_inherits i where i.inhrelid = x.indexrelid)
    union all
    select 2, k.oid, exists (select from pg_attribute a join pg_type t on t.oid = a.atttypid
                      where a.attrelid = k.conrelid and t.typname in ('vector', 'halfvec', 'bit')),
           format('alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where {NOT_OURS} and k.contype = 'f' and k.conparentid = 0
) found order by kind, made -- the indexes of parts get their names in this order
"""  # noqa: S608 - a constant
_DROP_BUILT = f"""
do $$ declare one record; begin
    for one in
        select 1 as kind, format('alter table %s drop constraint %I', k.conrelid::regclass, k.conname) as statement
        from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
        where {NOT_OURS} and k.contype = 'f' and k.conparentid = 0
        union all
        select 2, format('drop index %s', x.indexrelid::regclass)
        from pg_index x join pg_class c on c.oid = x.indexrelid join pg_namespace n on n.oid = c.relnamespace
        where {NOT_OURS} and not x.indisprimary
          and not exists (select from pg_constraint k where k.conindid = x.indexrelid)
          and not exists (select from pg_inherits i where i.inhrelid = x.indexrelid)
        order by kind
    loop execute one.statement; end loop;
end $$
"""  # noqa: S608 - a constant


async def prepare(connection: AsyncConnection[Any], manifest: Manifest) -> RestorePlan:
    """Make the backup's schema in an empty database: tables without foreign keys, indexes and rows.

    Raises:
        Conflict: the database is not empty (`restore-target-not-empty`), or another backup is being restored into it.
        TerminalError: the backup is of a schema that this version of the app does not know (`backup-foreign`).
    """
    plan = RestorePlan(
        early=[table.full_name for table in manifest.tables if not table.late],
        late=[table.full_name for table in manifest.tables if table.late],
    )
    if await _goes_on(connection, manifest):
        return plan
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
    for table in manifest.tables:
        there = await connection.execute("select to_regclass(format('%%I.%%I', %s::text, %s::text))", table.place)
        if await there.fetchone() == (None,):
            for statement in table.definition:
                await connection.execute(statement.encode())
    await connection.execute(_TO_BUILD.encode())
    await connection.execute(_DROP_BUILT.encode())
    for table in await _tables(connection):
        await connection.execute(f"truncate {table}".encode())  # rows that migrations bring are in the backup
        await connection.execute(f"alter table {table} disable trigger user".encode())
    return plan


async def load(connection: AsyncConnection[Any], manifest: Manifest, name: str) -> int:
    """Bring the rows of a table back, all or none; how many. What was loaded before is left as it is.

    Raises:
        TerminalError: a chunk is damaged, or holds other rows than its backup says.
    """
    table = _table(manifest, name)
    cursor = await connection.execute(
        "insert into restoring.loaded values (%s) on conflict do nothing returning name", (name,)
    )
    if await cursor.fetchone() is not None:
        await connection.execute("set local idle_in_transaction_session_timeout = 0")  # while a chunk is fetched
        for chunk in table.chunks:
            await import_chunk(connection, table, chunk)
    return table.rows


async def build(connection: AsyncConnection[Any], *, late: bool) -> None:
    """Make the indexes and foreign keys of the tables that were loaded. Each statement commits by itself."""
    pending = await rows(
        connection,
        "select place, statement from restoring.definitions where late = %s order by place",
        (late,),
    )
    await connection.commit()
    for one in pending:
        await connection.execute("set local statement_timeout = 0")
        await connection.execute(one["statement"].encode())
        await connection.execute("delete from restoring.definitions where place = %s", (one["place"],))
        await connection.commit()


async def finish(connection: AsyncConnection[Any], manifest: Manifest) -> None:
    """Set the sequences on, let triggers work again, and give the planner its statistics."""
    for table in await _tables(connection):
        await connection.execute(f"alter table {table} enable trigger user".encode())
    for sequence in manifest.sequences:  # never back, where the app has drawn from it since
        await connection.execute(
            "select setval(s.name, %s, %s) from (select format('%%I.%%I', %s::text, %s::text)::regclass as name) s"
            " where coalesce(pg_sequence_last_value(s.name), 0) < %s",
            (sequence.last_value, sequence.is_called, *sequence.place, sequence.last_value),
        )
    for table in await _tables(connection):
        await connection.execute(f"analyze {table}".encode())


async def forget_notes(connection: AsyncConnection[Any]) -> None:
    """Drop the notes of a restore that has ended: the database is the app's."""
    await connection.execute("drop schema restoring cascade")


async def compare(connection: AsyncConnection[Any], manifest: Manifest, *, late: bool | None = None) -> Verdict:
    """Whether every table holds the rows that the backup says: as many, and of the same checksum.

    With `late` only those of that round, since the app may have written to the others.
    """
    await same_texts(connection)
    differences: list[str] = []
    tables = [table for table in manifest.tables if late is None or table.late is late]
    for table in tables:
        counted, total = await checksum(connection, table)
        if (counted, total) != (table.rows, table.checksum):
            how = f"{counted:,} rows instead of {table.rows:,}" if counted != table.rows else "other values"
            differences.append(f"{table.full_name}: {how}")
    return Verdict(
        verdict="different" if differences else "same",
        tables=len(tables),
        rows=sum(table.rows for table in tables),
        differences=differences[:SHOWN],
    )


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
