"""One moment of the database, seen by several connections."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from shared.backups.contents.catalog import same_texts
from shared.platform.stores.postgres import database

if TYPE_CHECKING:
    from psycopg import AsyncConnection


@asynccontextmanager
async def exported() -> AsyncGenerator[tuple[AsyncConnection[Any], str]]:
    """A transaction that holds a snapshot, and the name by which others see the same."""
    async with database() as holder:
        await holder.execute("set transaction isolation level repeatable read, read only")
        await holder.execute("set local idle_in_transaction_session_timeout = 0")
        cursor = await holder.execute("select pg_export_snapshot()")
        named = await cursor.fetchone()
        assert named is not None, "a function is always one row"
        yield holder, named[0]


async def see_as(reader: AsyncConnection[Any], snapshot: str) -> None:
    """Let a transaction see what the snapshot does, with the texts that checksums are made of."""
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    await reader.execute("set transaction isolation level repeatable read, read only")
    await reader.execute("set local idle_in_transaction_session_timeout = 0")  # while a chunk is sent
    await reader.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(snapshot)))
    await same_texts(reader)
