"""Takes a backup: every table as one snapshot sees it, in time boxes.

The snapshot lasts as long as its transaction, and that no longer than one activity. So a time box begins with a new
snapshot and looks at every chunk; those that the boxes before it wrote are known by their names and are not written
again. The backup is what the last box saw. However short a box is, it writes one chunk that was missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from shared.backups.carrying import carry
from shared.backups.catalog import Relation, applied_migrations, relations, rewritten, same_texts, sequences
from shared.backups.chunks import Piece, blocks_of_chunk, known_chunk, name_of_chunk, pieces, write_chunk
from shared.backups.definitions import objects
from shared.backups.files import list_manifests, read_manifest_of, read_verdict, write_manifest
from shared.backups.models import BackupProgress, CarriedFile, Chunk, Manifest, TakeBackup
from shared.backups.settings import settings
from shared.platform.errors import TerminalError, TransientError
from shared.platform.stores.postgres import database

if TYPE_CHECKING:
    from psycopg import AsyncConnection

T = TypeVar("T")
AT_ONCE = 3
"""Chunks that are read at once: the database serves others meanwhile."""
LOOK_SECONDS = 420
"""For a look at all rows' heads. What is left of an activity's ten minutes is for the one chunk that a box writes."""
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
    """Export for BACKUPS_BOX_SECONDS; the backup exists when the answer is `done`. A repeat goes on where it was.

    Raises:
        TerminalError: the heads of all rows cannot be looked at in LOOK_SECONDS (`backup-too-large`).
        TransientError: a table was written anew as a whole meanwhile (`backup-changed`).
    """
    began = monotonic()
    cuts = await _cuts(task.chain)
    carried = await carry(task.chain)
    async with _snapshot() as (holder, snapshot):
        found = [_cut(one, cuts) for one in await relations(holder)]
        every = [piece for one in found for piece in pieces(one, one.table.cut)]
        looked = await _look(task.chain, snapshot, every, until=began + LOOK_SECONDS)
        await _write_missing(snapshot, looked, until=began + settings().backups_box_seconds)
        chunks = [one.chunk for one in looked if one.chunk is not None]
        report = BackupProgress(
            done=len(chunks) == len(looked),
            chunks=len(every) - len(looked) + len(chunks),
            total=len(every),
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
            # Once more: what a row of the snapshot names was written before the snapshot, but maybe after the first.
            files = {one.blob: one for one in [*carried, *await carry(task.chain)]}
            await write_manifest(await _manifest(holder, task, found, chunks, list(files.values())))
    return report


@dataclass(slots=True)
class _Looked:
    """A piece of a table that has rows, and the chunk of it, where one was written."""

    piece: Piece
    name: str
    chunk: Chunk | None


def _cut(relation: Relation, cuts: dict[str, int]) -> Relation:
    blocks = blocks_of_chunk(relation, cuts.get(relation.table.full_name))
    return replace(relation, table=relation.table.model_copy(update={"cut": blocks}))


async def _cuts(chain: str) -> dict[str, int]:
    """How the last backup of the chain has cut each table; nothing if it cannot be read, which a verification tells."""
    of_chain = [name for name in await list_manifests() if name.split("/")[1] == chain]
    try:
        last = await read_manifest_of(of_chain[-1]) if of_chain else None
    except TerminalError:
        last = None
    return {table.full_name: table.cut for table in last.tables} if last else {}


async def _look(chain: str, snapshot: str, every: list[Piece], *, until: float) -> list[_Looked]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(piece: Piece) -> _Looked | None:
        async with gate, database() as reader:
            if monotonic() > until:
                raise TerminalError(
                    f"Not all rows were seen within {LOOK_SECONDS:,} seconds: no backup of one moment can be made.",
                    code="backup-too-large",
                    remedy="Give the server more cores or a faster disk, or rely on Azure's point-in-time restore.",
                )
            await _see(reader, snapshot)
            name = await name_of_chunk(reader, piece, chain)
            return _Looked(piece, name, await known_chunk(name)) if name else None

    return [one for one in await _all(look(piece) for piece in every) if one is not None]


async def _write_missing(snapshot: str, looked: list[_Looked], *, until: float) -> None:
    """Write chunks until the time is over, but one at least: a box that is too short comes further nevertheless."""
    gate = asyncio.Semaphore(AT_ONCE)
    begun: list[str] = []

    async def write(one: _Looked) -> None:
        async with gate:
            if begun and monotonic() > until:
                return
            begun.append(one.name)
            async with database() as reader:
                await _see(reader, snapshot)
                one.chunk = await write_chunk(reader, one.piece, one.name)

    await _all(write(one) for one in looked if one.chunk is None)


async def _all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What all give; when one fails, the others end before its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failures:  # the caller knows one chunk and its errors, not the group
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def _manifest(
    holder: AsyncConnection[Any],
    task: TakeBackup,
    found: list[Relation],
    chunks: list[Chunk],
    files: list[CarriedFile],
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
        files=files,
        objects=await objects(holder),
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
