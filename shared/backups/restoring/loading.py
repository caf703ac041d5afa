"""The rows of a backup, brought into the tables that were prepared for them; and what is done once they are there."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from shared.backups.contents.chunks import import_beside, import_chunk
from shared.backups.contents.schemas import NOT_OURS, tables
from shared.backups.models import Chunk, Manifest, RestoredTable, Table
from shared.backups.restoring.building import let_triggers_work
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection


async def load(
    connection: AsyncConnection[Any], manifest: Manifest, name: str, *, deadline: float = float("inf")
) -> RestoredTable:
    """Bring the rows of a table back, chunk by chunk, of which each commits; those that are there stay as they are.

    So do rows that the app has written since it can serve: a row of the backup with the same key is left out.

    Raises:
        TerminalError: a chunk is damaged, or in the archive.
    """
    from psycopg.errors import UniqueViolation  # noqa: PLC0415 - the driver loads in the activity

    table = _table(manifest, name)
    there = {
        row["chunk"] for row in await rows(connection, "select chunk from restoring.loaded where name = %s", (name,))
    }
    await connection.commit()
    begun = False
    for chunk in table.chunks:
        if chunk.blob in there:
            continue
        if begun and monotonic() > deadline:
            return RestoredTable(rows=table.rows, done=False)
        begun = True
        try:
            if await _begin(connection, table, chunk):
                await import_chunk(connection, table, chunk)
        except UniqueViolation:
            await connection.rollback()
            if await _begin(connection, table, chunk):
                kept = await import_beside(connection, table, chunk)
                await connection.execute(
                    "update restoring.loaded set kept = %s, kept_total = %s where chunk = %s", (*kept, chunk.blob)
                )
        await connection.commit()
    return RestoredTable(rows=table.rows)


async def _begin(connection: AsyncConnection[Any], table: Table, chunk: Chunk) -> bool:
    """Note that the chunk is loaded, in the transaction that loads it. False: it was before."""
    await connection.execute("set local idle_in_transaction_session_timeout = 0")  # while a chunk is fetched
    await connection.execute("set local statement_timeout = 0")
    cursor = await connection.execute(
        "insert into restoring.loaded (name, chunk) values (%s, %s) on conflict do nothing returning name",
        (table.full_name, chunk.blob),
    )
    return await cursor.fetchone() is not None


async def finish(connection: AsyncConnection[Any], manifest: Manifest) -> None:
    """Set the sequences on, let triggers work again as they did, and give the planner its statistics."""
    await let_triggers_work(connection, await tables(connection))
    for sequence in manifest.sequences:  # never back, where the app has drawn from it since
        await connection.execute(
            "select setval(s.name, %s, %s) from (select to_regclass(format('%%I.%%I', %s::text, %s::text)) as name) s"
            " where s.name is not null and coalesce(pg_sequence_last_value(s.name), 0) < %s",
            (sequence.last_value, sequence.is_called, *sequence.place, sequence.last_value),
        )
    await analyze(connection, await tables(connection))


async def analyze(connection: AsyncConnection[Any], names: Sequence[str]) -> None:
    """Give the planner the statistics of these tables."""
    for name in names:
        await connection.execute(f"analyze {name}".encode())


async def compute_views(connection: AsyncConnection[Any]) -> int:
    """Compute the views that keep their rows, those that others are made of first; how many there are."""
    views = await rows(
        connection,
        "select format('%%I.%%I', n.nspname, c.relname) as name from pg_class c"  # noqa: S608 - a constant
        f" join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'm' and {NOT_OURS} order by c.oid",
    )
    for view in views:
        await connection.execute(f"refresh materialized view {view['name']}".encode())
    return len(views)


async def forget_notes(connection: AsyncConnection[Any]) -> None:
    """Drop the notes of a restore that has ended: the database is the app's."""
    await connection.execute("drop schema restoring cascade")


def _table(manifest: Manifest, name: str) -> Table:
    [table] = [one for one in manifest.tables if one.full_name == name]
    return table
