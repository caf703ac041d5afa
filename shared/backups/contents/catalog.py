"""What PostgreSQL's catalog says of the tables that a backup holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.backups.contents.definitions import definition
from shared.backups.contents.schemas import NOT_OURS
from shared.backups.models import AppliedMigration, Sequence, Table
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_TABLES = f"""
select c.oid::int8 as oid, n.nspname as schema_name, c.relname as name, c.relkind = 'p' as parted,
       pg_relation_filenode(c.oid)::int8 as filenode,
       pg_relation_size(c.oid) / current_setting('block_size')::int as blocks, pg_table_size(c.oid) as size,
       array(select a.attname from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
             order by a.attnum)::text[] as columns,
       array(select format('%%s %%s', a.attnum, format_type(a.atttypid, a.atttypmod)) from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
             order by a.attnum)::text[] as types,
       exists (select from pg_attribute a join pg_type t on t.oid = a.atttypid
               where a.attrelid = c.oid and not a.attisdropped and t.typname in ('vector', 'halfvec', 'bit')) as late
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence = 'p' and {NOT_OURS}
  and (n.nspname, c.relname) <> ('public', 'schema_migrations')
  and not exists (select from pg_depend d
                  where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by c.relispartition, c.oid
"""  # noqa: S608 - a constant

_SEQUENCES = f"""
select n.nspname as schema_name, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S' and {NOT_OURS} order by 1, 2
"""  # noqa: S608 - a constant

# A policy hides rows from who is not its table's owner; `same_texts` makes that an error, in the midst of a chunk.
_UNREADABLE = f"""
select format('%%I.%%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'S') and c.relpersistence = 'p' and {NOT_OURS}
  and (not has_schema_privilege(n.oid, 'usage') or not has_table_privilege(c.oid, 'select')
       or row_security_active(c.oid))
order by 1
"""  # noqa: S608 - a constant

# The versions of rows mean the same in one database of one cluster alone, until that is set back in time.
_CLUSTER = """
select format('%%s/%%s/%%s', s.system_identifier, p.timeline_id, d.oid) as name
from pg_control_system() s, pg_control_checkpoint() p, pg_database d where d.datname = current_database()
"""

# A transaction's snapshot sees where a table's rows lay when it began, the function where they lie now.
_REWRITTEN = f"""
select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence = 'p' and {NOT_OURS}
  and pg_relation_filenode(c.oid) is distinct from c.relfilenode
"""  # noqa: S608 - a constant


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, and where its rows lie: `filenode` changes when it is written anew as a whole.

    Attributes:
        blocks: of 8 kB, without its TOAST.
        size: bytes, with its TOAST.
        shape: the cluster, and the columns' places and types: what the version of a row says nothing of.
    """

    table: Table
    filenode: int
    blocks: int
    size: int
    shape: str


async def relations(connection: AsyncConnection[Any], *, defined: bool = False) -> list[Relation]:
    """Every table, those that others are parts of before these. A table that is parted holds no rows of its own.

    With `defined` also the statements that make each.
    """
    found: list[Relation] = []
    [cluster] = await rows(connection, _CLUSTER)
    for row in await rows(connection, _TABLES):
        table = Table(
            schema_name=row["schema_name"],
            name=row["name"],
            columns=row["columns"],
            late=row["late"],
            definition=await definition(connection, row["oid"]) if defined else [],
        )
        shape = f"{cluster['name']}/{row['types']}"
        blocks, size = (0, 0) if row["parted"] else (row["blocks"], row["size"])
        found.append(Relation(table, row["filenode"] or 0, blocks, size, shape))
    return found


async def rewritten(connection: AsyncConnection[Any]) -> list[str]:
    """Tables that were emptied, written anew or dropped since the connection's snapshot, as it sees them no more."""
    return [row["name"] for row in await rows(connection, _REWRITTEN)]


async def unreadable(connection: AsyncConnection[Any]) -> list[str]:
    """Tables and sequences of which the connection's role may not read all."""
    return [row["name"] for row in await rows(connection, _UNREADABLE)]


async def sequences(connection: AsyncConnection[Any]) -> list[Sequence]:
    """Where every sequence stands now: a sequence knows no snapshots, and what is drawn meanwhile is never too low."""
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    found: list[Sequence] = []
    for row in await rows(connection, _SEQUENCES):
        cursor = await connection.execute(
            sql.SQL("select last_value, is_called from {}").format(sql.Identifier(row["schema_name"], row["name"]))
        )
        stands = await cursor.fetchone()
        assert stands is not None, "a sequence is always one row"
        found.append(Sequence(**row, last_value=stands[0], is_called=stands[1]))
    return found


async def applied_migrations(connection: AsyncConnection[Any]) -> list[AppliedMigration]:
    """The migrations that the database has seen, in their order."""
    listed = await rows(connection, "select name, sha256 from public.schema_migrations order by name")
    return [AppliedMigration.model_validate(row) for row in listed]


async def checksum(connection: AsyncConnection[Any], table: Table, where: str = "true") -> tuple[int, int]:
    """How many rows there are, and the sum of their hashes, which their order does not change.

    The connection has the settings of `same_texts`.
    """
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    cursor = await connection.execute(
        sql.SQL(
            "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text"
            " from (select {} from only {} where {}) t"
        ).format(
            sql.SQL(", ").join(map(sql.Identifier, table.columns)) if table.columns else sql.SQL("1"),
            sql.Identifier(table.schema_name, table.name),
            sql.SQL(where),  # pyright: ignore[reportArgumentType] - made of numbers by this package
        )
    )
    counted = await cursor.fetchone()
    assert counted is not None, "an aggregate is always one row"
    return counted[0], int(counted[1])


async def same_texts(connection: AsyncConnection[Any]) -> None:
    """Until the transaction ends, let values have the texts that they had when their checksum was made."""
    await connection.execute(
        "select set_config('row_security', 'off', true),"  # a policy is an error, not a reason to leave rows out
        " set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, MDY', true),"
        " set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true),"
        " set_config('extra_float_digits', '1', true), set_config('statement_timeout', '0', true)"
    )
