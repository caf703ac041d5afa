"""What is made and checked last, while the app serves already and writes to the same tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backups.contents.catalog import checksum, same_texts
from shared.backups.models import Table
from shared.backups.verification import comparing
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.backups.models import Manifest


NOTES = "create table restoring.checked (at timestamptz not null default now());"
"""That all but the late tables were checked, before the app could write to them."""


async def check_early(connection: AsyncConnection[Any], manifest: Manifest) -> None:
    """Compare all but the late tables and note what differs; once, since the app may write to them from then on."""
    if await rows(connection, "select from restoring.checked"):
        return
    await comparing.note(connection, (await comparing.compare(connection, manifest, late=False)).differences)
    await connection.execute("insert into restoring.checked default values")
    await connection.commit()


async def make(connection: AsyncConnection[Any], statement: str) -> None:
    """Make an index or a foreign key, if the app has not made the same. Rows whose other end it has deleted go, too.

    Raises:
        psycopg.Error: it cannot be made.
    """
    from psycopg.errors import DuplicateObject, DuplicateTable, ForeignKeyViolation  # noqa: PLC0415 - as elsewhere

    try:
        async with connection.transaction():
            await connection.execute(statement.encode())
    except (DuplicateTable, DuplicateObject):
        same = await rows(
            connection,
            "select from pg_index x where replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') = %s"
            " and x.indisvalid",
            (statement,),
        )
        if not same:
            raise
    except ForeignKeyViolation:
        await connection.execute(f"{statement} not valid".encode())
        [orphans] = await rows(connection, _ORPHANS)
        await connection.execute(orphans["statement"].encode())
        await connection.execute(orphans["validate"].encode())


# Of the foreign key that was just added. Where it says neither cascade nor set null, the rows stay, and it is refused.
_ORPHANS = """
select format(case k.confdeltype when 'c' then 'delete from %%1$s r where %%2$s'
                                 when 'n' then 'update %%1$s r set %%3$s where %%2$s' else 'select' end,
              k.conrelid::regclass, condition, emptied) as statement,
       format('alter table %%s validate constraint %%I', k.conrelid::regclass, k.conname) as validate
from pg_constraint k cross join lateral (
    select format('%%s and not exists (select from %%s o where %%s)',
                  string_agg(format('r.%%I is not null', a.attname), ' and '), k.confrelid::regclass,
                  string_agg(format('o.%%I = r.%%I', b.attname, a.attname), ' and ')) as condition,
           string_agg(format('%%I = null', a.attname), ', ') as emptied
    from unnest(k.conkey, k.confkey) as pair (own, other)
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.own
    join pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.other
) made where k.contype = 'f' and not k.convalidated order by k.oid desc limit 1
"""


async def check(connection: AsyncConnection[Any], manifest: Manifest) -> tuple[list[str], list[str]]:
    """What of the late tables is not as the backup says; and what the app has changed of them since, which is none.

    Each chunk had as many rows as the backup says when it was loaded, and those are known by their version. Those that
    the app had written before are not in the sum, but what the backup had in their places is.
    """
    differences: list[str] = []
    since: list[str] = []
    for table in (one for one in manifest.tables if one.late):
        await same_texts(connection)
        there = await checksum(connection, table)
        if there != (table.rows, table.checksum):
            restored, total = await _restored(connection, table)
            if restored < table.rows:
                since.append(f"{table.full_name}: the app has changed or deleted {table.rows - restored:,} rows since")
            elif total != table.checksum:
                differences.append(f"{table.full_name}: other values")
            else:
                since.append(f"{table.full_name}: the app has written to it since")
        await connection.commit()
    return differences, since


async def _restored(connection: AsyncConnection[Any], table: Table) -> tuple[int, int]:
    """How many rows of the backup are as they were restored, or were left out, and the sum of their hashes."""
    [noted] = await rows(
        connection,
        "select array_agg(version) as versions, coalesce(sum(kept), 0)::int8 as kept,"
        " coalesce(sum(kept_total), 0)::text as total from restoring.loaded where name = %s",
        (table.full_name,),
    )
    listed: list[str] = noted["versions"] or []
    versions = ", ".join(f"'{int(one)}'" for one in listed)
    if not versions:
        return 0, 0
    found, total = await checksum(connection, table, f"xmin::text in ({versions})")
    return found + noted["kept"], total + int(noted["total"])
