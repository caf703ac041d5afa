"""The scratch database, in which a backup is restored to see that it can be."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from shared.backups.contents.schemas import NOT_OURS
from shared.backups.settings import settings
from shared.platform.errors import Conflict, TerminalError
from shared.platform.settings import settings as platform_settings
from shared.platform.stores.postgres import connection_to, database, each_statement_commits, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

NO_SCRATCH = ("scratch-is-the-database", "scratch-not-ours", "no-scratch-database")
"""Codes of errors that say nothing of a backup."""
_IN_PUBLIC = """
select format('drop %%s if exists %%s cascade', kind, name) as statement from (
    select c.oid, case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                      when 'f' then 'foreign table' when 'c' then 'type' else 'table' end as kind,
           c.oid::regclass::text as name
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    union all
    select p.oid, 'routine', p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'public'::regnamespace
    union all
    select t.oid, 'type', t.oid::regtype::text from pg_type t
    where t.typnamespace = 'public'::regnamespace and t.typtype in ('e', 'd', 'r')
) found where not exists (select from pg_depend d where d.objid = found.oid and d.deptype = 'e')
order by kind = 'type', kind = 'routine'
"""
_MARK = "create schema restoring; create table restoring.scratch_of (database text not null)"


def scratch() -> AbstractAsyncContextManager[AsyncConnection[Any]]:
    """A connection to the scratch database.

    Raises:
        Conflict: its name is that of the app's own database.
    """
    own, name = _names()
    if own == name:
        raise Conflict(
            f"The scratch database {name} is the app's own, and all that is in it would be dropped.",
            code="scratch-is-the-database",
            remedy="Name another in BACKUPS_SCRATCH_DATABASE.",
        )
    return connection_to(name)


async def empty_scratch(backup: str) -> None:
    """Make the scratch database if there is none, and drop what another verification of this database left in it.

    Raises:
        Conflict: its name is that of the app's own database, or it holds what no verification of this one has made.
        TerminalError: it is missing and the app's role may not make it.
    """
    own, name = _names()
    connecting = scratch()
    await _make(name)
    async with connecting as connection:
        notes = await rows(connection, "select to_regclass('restoring.backup') is not null as there")
        if not await _marked(connection, own):
            if await _holds_something(connection):
                raise Conflict(
                    f"The scratch database {name} holds what no verification of {own} has made; it is left as it is.",
                    code="scratch-not-ours",
                    remedy="Name another in BACKUPS_SCRATCH_DATABASE, or drop it if nobody needs it.",
                )
        elif notes[0]["there"] and await rows(connection, "select from restoring.backup where id = %s", (backup,)):
            return  # this verification was interrupted, and goes on
        await drop_all(connection)
        await connection.execute(_MARK)
        await connection.execute("insert into restoring.scratch_of values (%s)", (own,))


async def drop_all(connection: AsyncConnection[Any]) -> None:
    """Drop every schema of the app's, and what lies in `public`."""
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    found = await rows(
        connection,
        f"select n.nspname as name from pg_namespace n where n.nspname = 'restoring' or ({NOT_OURS})",  # noqa: S608 - a constant
    )
    for schema in found:
        if schema["name"] != "public":
            await connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema["name"])))
    for one in await rows(connection, _IN_PUBLIC):
        await connection.execute(one["statement"].encode())


def _names() -> tuple[str, str]:
    """The names of the app's database and of the scratch database."""
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - the driver loads in the activity

    own = str(conninfo_to_dict(platform_settings().postgres_dsn).get("dbname") or "")
    return own, settings().backups_scratch_database or f"{own}_scratch"


async def _marked(connection: AsyncConnection[Any], own: str) -> bool:
    [found] = await rows(connection, "select to_regclass('restoring.scratch_of') is not null as there")
    return found["there"] and bool(
        await rows(connection, "select from restoring.scratch_of where database = %s", (own,))
    )


async def _holds_something(connection: AsyncConnection[Any]) -> bool:
    [found] = await rows(
        connection,
        "select exists (select from pg_namespace n where (n.nspname = 'restoring' or"  # noqa: S608 - a constant
        f" ({NOT_OURS})) and n.nspname <> 'public') or exists ({_IN_PUBLIC}) as anything",
    )
    return found["anything"]


async def _make(name: str) -> None:
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity
    from psycopg.errors import DuplicateDatabase, InsufficientPrivilege  # noqa: PLC0415 - as above

    async with database() as connection, each_statement_commits(connection):
        if await rows(connection, "select from pg_database where datname = %s", (name,)):
            return
        try:
            await connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        except DuplicateDatabase:
            return
        except InsufficientPrivilege as error:
            raise TerminalError(
                f"There is no database {name}, and the app's role may not create it.",
                code="no-scratch-database",
                remedy=f"Create the database {name} with the app's role as its owner.",
            ) from error
