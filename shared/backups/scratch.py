"""The scratch database, in which a backup is restored to see that it can be."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from shared.backups.catalog import NOT_OURS
from shared.backups.settings import settings
from shared.platform.errors import Conflict, TerminalError
from shared.platform.settings import settings as platform_settings
from shared.platform.stores.postgres import connection_to, database, each_statement_commits, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection


def scratch() -> AbstractAsyncContextManager[AsyncConnection[Any]]:
    """A connection to the scratch database.

    Raises:
        Conflict: its name is that of the app's own database.
    """
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - the driver loads in the activity

    name = settings().backups_scratch_database
    if conninfo_to_dict(platform_settings().postgres_dsn).get("dbname") == name:
        raise Conflict(
            f"The scratch database {name} is the app's own, and all that is in it would be dropped.",
            code="scratch-is-the-database",
            remedy="Name another in BACKUPS_SCRATCH_DATABASE.",
        )
    return connection_to(name)


async def empty_scratch(backup: str) -> None:
    """Make the scratch database if there is none, and drop what another restore left in it.

    Raises:
        Conflict: its name is that of the app's own database.
        TerminalError: it is missing and the app's role may not make it.
    """
    connecting = scratch()
    await _make()
    async with connecting as connection:
        notes = await rows(connection, "select to_regclass('restoring.backup') is not null as there")
        if notes[0]["there"] and await rows(connection, "select from restoring.backup where id = %s", (backup,)):
            return  # this verification was interrupted, and goes on
        await drop_all(connection)


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
    await connection.execute("drop table if exists public.schema_migrations")


async def _make() -> None:
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity
    from psycopg.errors import DuplicateDatabase, InsufficientPrivilege  # noqa: PLC0415 - as above

    name = settings().backups_scratch_database
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
