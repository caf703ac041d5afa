"""What PostgreSQL's catalog says of the tables that a backup holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.backups.models import AppliedMigration, Sequence, Table
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

NOT_OURS = "n.nspname not in ('information_schema', 'restoring') and not starts_with(n.nspname, 'pg_')"
"""Schemas that are the server's, or a restore's own notes."""

_TABLES = f"""
select c.oid::int8 as oid, n.nspname as schema_name, c.relname as name, c.relkind = 'p' as parted,
       pg_relation_filenode(c.oid)::int8 as filenode,
       pg_relation_size(c.oid) / current_setting('block_size')::int as blocks,
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

# A table, its columns and, if it is a part of one, its bounds; then its keys, its indexes, and who may use it.
_DEFINITION = """
select case when c.relispartition then
           format('create table %%s partition of %%s %%s', c.oid::regclass, i.inhparent::regclass,
                  pg_get_expr(c.relpartbound, c.oid))
       else
           format('create table %%I.%%I (%%s)', n.nspname, c.relname,
               (select string_agg(format('%%I %%s%%s%%s%%s', a.attname, format_type(a.atttypid, a.atttypmod),
                    case when a.attgenerated = 's'
                         then format(' generated always as (%%s) stored', pg_get_expr(d.adbin, d.adrelid)) else '' end,
                    case when a.attgenerated = '' and d.adbin is not null
                         then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end,
                    case when a.attnotnull then ' not null' else '' end), ', ' order by a.attnum)
                from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped))
           || coalesce(' partition by ' || pg_get_partkeydef(c.oid), '')
           || coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '')
       end as statement
from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_inherits i on i.inhrelid = c.oid
where c.oid = %(oid)s
union all
select format('alter table %%s add constraint %%I %%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
from pg_constraint k where k.conrelid = %(oid)s and k.coninhcount = 0 and k.contype in ('p', 'u', 'c', 'f')
union all
select replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') from pg_index x
where x.indrelid = %(oid)s and not exists (select from pg_constraint k where k.conindid = x.indexrelid)
  and not exists (select from pg_inherits i where i.inhrelid = x.indexrelid)
union all
select format('do $do$ begin if exists (select from pg_roles where rolname = %%L) then'
              ' grant %%s on %%s to %%I; end if; end $do$',
              r.rolname, string_agg(g.privilege_type, ', '), %(oid)s::oid::regclass, r.rolname)
from pg_class c, aclexplode(c.relacl) g join pg_roles r on r.oid = g.grantee
where c.oid = %(oid)s and r.oid <> c.relowner group by r.rolname
"""

_SEQUENCES = f"""
select n.nspname as schema_name, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S' and {NOT_OURS} order by 1, 2
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
        shape: the cluster, and the columns' places and types: what the version of a row says nothing of.
    """

    table: Table
    filenode: int
    blocks: int
    shape: str


async def relations(connection: AsyncConnection[Any]) -> list[Relation]:
    """Every table, those that others are parts of before these. A table that is parted holds no rows of its own."""
    found: list[Relation] = []
    [cluster] = await rows(connection, _CLUSTER)
    for row in await rows(connection, _TABLES):
        table = Table(
            schema_name=row["schema_name"],
            name=row["name"],
            columns=row["columns"],
            late=row["late"],
            definition=[one["statement"] for one in await rows(connection, _DEFINITION, {"oid": row["oid"]})],
        )
        blocks = 0 if row["parted"] else row["blocks"]
        found.append(Relation(table, row["filenode"] or 0, blocks, f"{cluster['name']}/{row['types']}"))
    return found


async def rewritten(connection: AsyncConnection[Any]) -> list[str]:
    """Tables that were emptied, written anew or dropped since the connection's snapshot, as it sees them no more."""
    return [row["name"] for row in await rows(connection, _REWRITTEN)]


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
        "select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, MDY', true),"
        " set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true),"
        " set_config('extra_float_digits', '1', true), set_config('statement_timeout', '0', true)"
    )
