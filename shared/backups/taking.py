"""Takes a backup: every table as one snapshot sees it, in time boxes.

The snapshot lasts as long as its transaction, and that no longer than one activity. So a time box begins with a new
snapshot and looks at every chunk; those that the boxes before it wrote are known by their names and are not written
again. The backup is what the last box saw.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

from shared.backups.catalog import Relation, applied_migrations, relations, rewritten, same_texts, sequences
from shared.backups.chunks import block_ranges, export_chunk
from shared.backups.files import list_manifests, read_verdict, write_manifest
from shared.backups.models import BackupProgress, Chunk, Manifest, TakeBackup
from shared.backups.settings import settings
from shared.platform.errors import TransientError
from shared.platform.stores.postgres import database

if TYPE_CHECKING:
    from psycopg import AsyncConnection

AT_ONCE = 3
"""Chunks that are read at once: the database serves others meanwhile."""
TIME = "%Y%m%dT%H%M%SZ"


async def chain_for(now: datetime) -> str:
    """The chain that a backup of now belongs to: the newest, or a new one.

    A new one begins when that is BACKUPS_CHAIN_DAYS old, or when its last verification found it wanting.
    """
    known = await list_manifests()
    chain = known[-1].split("/")[1] if known else ""
    oldest = (now - timedelta(days=settings().backups_chain_days)).strftime(TIME)
    if chain <= oldest:
        return now.strftime(TIME)
    of_chain = [name.rpartition("/")[2].removesuffix(".json") for name in known if name.split("/")[1] == chain]
    for backup in reversed(of_chain):
        if (verdict := await read_verdict(backup)) is not None:
            return chain if verdict.verdict == "same" else now.strftime(TIME)
    return chain


async def take(task: TakeBackup) -> BackupProgress:
    """Export for BACKUPS_BOX_SECONDS; the backup exists when the answer is `done`. A repeat goes on where it was."""
    deadline = monotonic() + settings().backups_box_seconds
    gate = asyncio.Semaphore(AT_ONCE)
    async with _snapshot() as (holder, snapshot):
        found = await relations(holder)

        async def export(relation: Relation, blocks: tuple[int, int]) -> tuple[bool, Chunk | None]:
            async with gate:
                if monotonic() > deadline:
                    return False, None
                async with database() as reader:
                    await _see(reader, snapshot)
                    return True, await export_chunk(reader, relation, task.chain, blocks)

        pieces = [(relation, blocks) for relation in found for blocks in block_ranges(relation)]
        outcomes = await _all(export(*piece) for piece in pieces)
        chunks = [chunk for _, chunk in outcomes if chunk is not None]
        report = BackupProgress(
            done=all(seen for seen, _ in outcomes),
            chunks=sum(seen for seen, _ in outcomes),
            total=len(pieces),
            rows=sum(chunk.rows for chunk in chunks),
            new_bytes=sum(chunk.size for chunk in chunks if chunk.new),
        )
        if report.done:
            if changed := await rewritten(holder):
                raise TransientError(
                    f"{', '.join(changed[:3])} was written anew or emptied while it was backed up.",
                    code="backup-changed",
                    remedy="The next attempt begins with a new snapshot.",
                )
            await write_manifest(await _manifest(holder, task, found, chunks))
    return report


async def _all(exports: Iterable[Coroutine[Any, Any, tuple[bool, Chunk | None]]]) -> list[tuple[bool, Chunk | None]]:
    """What all give; when one fails, the others end before its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in exports]
    except ExceptionGroup as failures:  # the caller knows one chunk and its errors, not the group
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def _manifest(
    holder: AsyncConnection[Any], task: TakeBackup, found: list[Relation], chunks: list[Chunk]
) -> Manifest:
    cursor = await holder.execute("select current_database(), version(), now()")
    stands = await cursor.fetchone()
    assert stands is not None, "constants are always one row"
    of_table: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        of_table.setdefault(chunk.blob.split("/")[2], []).append(chunk)
    return Manifest(
        id=task.id,
        chain=task.chain,
        taken_at=stands[2].astimezone(UTC),
        database=stands[0],
        server_version=stands[1],
        migrations=await applied_migrations(holder),
        tables=[one.table.model_copy(update={"chunks": of_table.get(one.table.full_name, [])}) for one in found],
        sequences=await sequences(holder),
    )


@asynccontextmanager
async def _snapshot() -> AsyncGenerator[tuple[AsyncConnection[Any], str]]:
    """A transaction that holds a snapshot, and the name by which others see the same."""
    async with database() as holder:
        await holder.execute("set transaction isolation level repeatable read, read only")
        await holder.execute("set local idle_in_transaction_session_timeout = 0")
        cursor = await holder.execute("select pg_export_snapshot()")
        named = await cursor.fetchone()
        assert named is not None, "a function is always one row"
        yield holder, named[0]


async def _see(reader: AsyncConnection[Any], snapshot: str) -> None:
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    await reader.execute("set transaction isolation level repeatable read, read only")
    await reader.execute("set local idle_in_transaction_session_timeout = 0")  # while a chunk is sent
    await reader.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(snapshot)))
    await same_texts(reader)
