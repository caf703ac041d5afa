"""What no migration makes, or what somebody has changed of it, is made as the backup has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backups.blobs import definitions
from shared.backups.contents.catalog import relations
from shared.backups.contents.objects import objects, unlike
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.backups.models import Manifest


async def make_others(connection: AsyncConnection[Any], manifest: Manifest) -> list[str]:
    """Make what the migrations have not. What of all definitions is not as it was, and why.

    Raises:
        TerminalError: the definitions of the backup are missing or damaged.
    """
    [server] = await rows(connection, "select split_part(current_setting('server_version'), '.', 1) as major")
    # Another PostgreSQL writes definitions in other words, so that they cannot be compared.
    alike = f"PostgreSQL {server['major']}." in manifest.server_version
    refused = await _carried_out(connection, await _missing(connection, manifest, alike=alike))
    return refused + (unlike(manifest.objects, await objects(connection)) if alike else [])


async def _missing(connection: AsyncConnection[Any], manifest: Manifest, *, alike: bool) -> list[tuple[str, str]]:
    """The statements of what is not there or not as it was, each with what it is of."""
    found = await objects(connection)
    there = {one.table.full_name: set(one.table.definition) for one in await relations(connection, defined=True)}
    missing = [
        (name, statement)
        for name, statements in (await definitions.read(manifest.others)).items()
        if name not in found or (alike and found[name] != manifest.objects.get(name))
        for statement in statements
    ]
    for table in manifest.tables:
        known = there.get(table.full_name)
        if known is None:
            missing += [(table.full_name, statement) for statement in table.definition]
        elif alike:
            missing += [
                (table.full_name, statement)
                for statement in table.definition
                if statement not in known and not statement.startswith("create table ")
            ]
    return missing


async def _carried_out(connection: AsyncConnection[Any], pending: list[tuple[str, str]]) -> list[str]:
    """Carry the statements out, again and again while one succeeds, since one may need another; what is refused."""
    from psycopg import Error  # noqa: PLC0415 - the driver loads in the activity

    await connection.execute("set local check_function_bodies = off")  # they may name tables that are not there yet
    while pending:
        refused: list[tuple[str, str]] = []
        because: list[str] = []
        for name, statement in pending:
            try:
                async with connection.transaction():
                    await connection.execute(statement.encode())
            except Error as error:
                refused.append((name, statement))
                because.append(f"{name}: {statement[:80]}: {str(error).splitlines()[0][:200]}")
        if len(refused) == len(pending):
            return because
        pending = refused
    return []
