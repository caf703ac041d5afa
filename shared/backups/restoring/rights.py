"""To whom a restored database belongs: where the app's role owns nothing, to the same role as before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from shared.platform.errors import Conflict, InvalidInput
from shared.platform.settings import settings
from shared.platform.stores import roles
from shared.platform.stores.migrate import read
from shared.platform.stores.postgres import connect_arguments, database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection


async def prepare_owner(app_role: str | None) -> str | None:
    """Make the role that owns everything, if the app has another one; its name. None: who restores is the app's role.

    Raises:
        InvalidInput: the server has such a role and the app's was not named, or there is no role of that name.
        Conflict: who restores may not act as the owner.
    """
    async with database() as connection:
        there = {row["rolname"] for row in await rows(connection, "select rolname from pg_roles")}
    if app_role is None:
        if roles.OWNER in there:
            raise InvalidInput(
                f"On this server {roles.OWNER} owns what the app uses, and the app's own role was not named.",
                field="APP_IDENTITY_NAME",
                remedy="Set APP_IDENTITY_NAME to the app's role; `azd env get-value APP_IDENTITY_NAME` says it.",
            )
        return None
    if app_role not in there:
        raise InvalidInput(f"There is no role {app_role!r} on this server.", field="APP_IDENTITY_NAME")
    await asyncio.to_thread(_prepare, await connect_arguments())
    return roles.OWNER


async def act_as(connection: AsyncConnection[Any], owner: str) -> None:
    """Have the connection act as the owner, also after its next commit."""
    await connection.execute("select set_config('role', %s, false)", (owner,))


async def grant_rows(app_role: str) -> None:
    """Let the app's role read and write all rows."""
    await asyncio.to_thread(_grant, app_role, await connect_arguments())


def _prepare(arguments: dict[str, Any]) -> None:
    import psycopg  # noqa: PLC0415 - loads in the command that needs it

    with psycopg.connect(settings().postgres_dsn, autocommit=True, **arguments) as connection:
        roles.create_owner(connection, read())
        try:
            roles.act_as_owner(connection)
        except SystemExit as refused:
            raise Conflict(str(refused), code="not-the-owner") from None


def _grant(app_role: str, arguments: dict[str, Any]) -> None:
    import psycopg  # noqa: PLC0415 - as above

    with psycopg.connect(settings().postgres_dsn, autocommit=True, **arguments) as connection:
        roles.act_as_owner(connection)
        roles.grant_use(connection, app_role)
