"""What is quicker to make when the rows are there: indexes, foreign keys; and triggers, which rows must not set off."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from shared.backups.contents.schemas import NOT_OURS
from shared.backups.models import BuiltIndexes
from shared.backups.restoring import while_serving
from shared.backups.settings import settings
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection

NOTES = """
create table restoring.definitions (
    place int generated always as identity, late bool not null, key bool not null, statement text not null
);
create table restoring.triggers (statement text not null);
"""

# Foreign keys, and indexes that hold nothing unique. What belongs to vectors is late.
_TO_BUILD = f"""
insert into restoring.definitions (late, key, statement)
select late, kind = 2, statement from (
    select 1 as kind, x.indexrelid as made, a.amname in ('hnsw', 'ivfflat') as late,
           replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') as statement -- with those of a table's parts
    from pg_index x join pg_class c on c.oid = x.indexrelid join pg_am a on a.oid = c.relam
    join pg_namespace n on n.oid = c.relnamespace
    where {NOT_OURS} and not x.indisunique and not exists (select from pg_constraint k where k.conindid = x.indexrelid)
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
        where {NOT_OURS} and not x.indisunique
          and not exists (select from pg_constraint k where k.conindid = x.indexrelid)
          and not exists (select from pg_inherits i where i.inhrelid = x.indexrelid)
        order by kind
    loop execute one.statement; end loop;
end $$
"""  # noqa: S608 - a constant
# `enable trigger user` would turn on those as well that were off, or on in another way.
_TRIGGERS = f"""
insert into restoring.triggers
select format('alter table %s %s trigger %I', g.tgrelid::regclass,
              case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end,
              g.tgname)
from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
where {NOT_OURS} and not g.tgisinternal and g.tgenabled <> 'O'
"""  # noqa: S608 - a constant


async def set_aside(connection: AsyncConnection[Any], tables: Sequence[str]) -> None:
    """Note and drop foreign keys and indexes that hold nothing unique; note how triggers work, and let none work."""
    for statement in (_TO_BUILD, _DROP_BUILT, _TRIGGERS):
        await connection.execute(statement.encode())
    for table in tables:
        await connection.execute(f"alter table {table} disable trigger user".encode())


async def build(
    connection: AsyncConnection[Any], *, late: bool, keys_alone: bool = False, deadline: float = float("inf")
) -> BuiltIndexes:
    """Make the indexes and foreign keys of the tables that were loaded. Each statement commits by itself.

    `keys_alone` leaves the indexes out: their statements were carried out on empty tables when these were made, and
    what they hold is in the rows.
    """
    pending = await rows(
        connection,
        "select place, statement from restoring.definitions where late = %s and (key or not %s) order by place",
        (late, keys_alone),
    )
    await connection.commit()
    for number, one in enumerate(pending):
        if number and monotonic() > deadline:
            return BuiltIndexes(done=False)
        await connection.execute("set local statement_timeout = 0")
        await connection.execute(
            "select set_config('maintenance_work_mem', %s, true),"
            " set_config('max_parallel_maintenance_workers', %s, true)",
            (settings().backups_index_memory, str(settings().backups_index_workers)),
        )
        if late:
            await while_serving.make(connection, one["statement"])
        else:
            await connection.execute(one["statement"].encode())
        await connection.execute("delete from restoring.definitions where place = %s", (one["place"],))
        await connection.commit()
    return BuiltIndexes()


async def let_triggers_work(connection: AsyncConnection[Any], tables: Sequence[str]) -> None:
    """As they did before they were set aside."""
    for table in tables:
        await connection.execute(f"alter table {table} enable trigger user".encode())
    for one in await rows(connection, "select statement from restoring.triggers"):
        await connection.execute(one["statement"].encode())
