"""Takes a backup: every table as one snapshot sees it, in time boxes.

The snapshot lasts as long as its transaction, and that no longer than one activity. So a time box begins with a new
snapshot and looks at every chunk; those that the boxes before it wrote are known by their names and are not written
again. The backup is what the last box saw. However short a box is, it writes one chunk that was missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, replace
from datetime import UTC
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from shared.backups.blobs import definitions
from shared.backups.blobs.carrying import carry
from shared.backups.blobs.manifests import write_manifest
from shared.backups.contents.catalog import Relation, applied_migrations, relations, rewritten, sequences, unreadable
from shared.backups.contents.chunks import Piece, blocks_of_chunk, known_chunk, name_of_chunk, pieces, write_chunk
from shared.backups.contents.objects import objects
from shared.backups.contents.others import others
from shared.backups.models import BackupProgress, CarriedFile, Chunk, Manifest, TakeBackup
from shared.backups.settings import settings
from shared.backups.taking.chains import cuts_of
from shared.backups.taking.snapshots import exported, see_as
from shared.platform.errors import TerminalError, TransientError
from shared.platform.stores.postgres import database

if TYPE_CHECKING:
    from psycopg import AsyncConnection

T = TypeVar("T")
AT_ONCE = 3
"""Chunks that are read at once: the database serves others meanwhile."""
LOOK_SECONDS = 420
"""For a look at all rows' heads. What is left of an activity's ten minutes is for the one chunk that a box writes."""


async def export(task: TakeBackup) -> BackupProgress:
    """Export for BACKUPS_BOX_SECONDS; the backup exists when the answer is `done`. A repeat goes on where it was.

    Raises:
        TerminalError: the heads of all rows cannot be looked at in LOOK_SECONDS (`backup-too-large`), or some rows may
            not be read (`backup-not-readable`).
        TransientError: a table was written anew as a whole meanwhile (`backup-changed`).
    """
    began = monotonic()
    cuts = await cuts_of(task.chain)
    carried = await carry(task.chain)
    async with exported() as (holder, snapshot):
        await _refuse_unreadable(holder)
        found = [_cut(one, cuts) for one in await relations(holder, defined=True)]
        every = [piece for one in found for piece in pieces(one, one.table.cut)]
        looked = await _look(task.chain, snapshot, every, deadline=began + LOOK_SECONDS)
        await _write_missing(snapshot, looked, deadline=began + settings().backups_box_seconds)
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
            await write_manifest(await _manifest(holder, task, found, looked, list(files.values())))
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


async def _refuse_unreadable(holder: AsyncConnection[Any]) -> None:
    if hidden := await unreadable(holder):
        raise TerminalError(
            f"The app's role may not read all of {', '.join(hidden[:3])}: a backup would lack rows.",
            code="backup-not-readable",
            remedy="Grant it usage of the schema and select on the table, and bypassrls where a policy hides rows;"
            " or drop what nobody needs.",
        )


async def _look(chain: str, snapshot: str, every: list[Piece], *, deadline: float) -> list[_Looked]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(piece: Piece) -> _Looked | None:
        async with gate, database() as reader:
            if monotonic() > deadline:
                raise TerminalError(
                    f"Not all rows were seen within {LOOK_SECONDS:,} seconds: no backup of one moment can be made.",
                    code="backup-too-large",
                    remedy="Give the server more cores or a faster disk, or rely on Azure's point-in-time restore.",
                )
            await see_as(reader, snapshot)
            name = await name_of_chunk(reader, piece, chain)
            return _Looked(piece, name, await known_chunk(name)) if name else None

    return [one for one in await _all(look(piece) for piece in every) if one is not None]


async def _write_missing(snapshot: str, looked: list[_Looked], *, deadline: float) -> None:
    """Write chunks until the time is over, but one at least: a box that is too short comes further nevertheless."""
    gate = asyncio.Semaphore(AT_ONCE)
    begun: list[str] = []

    async def write(one: _Looked) -> None:
        async with gate:
            if begun and monotonic() > deadline:
                return
            begun.append(one.name)
            async with database() as reader:
                await see_as(reader, snapshot)
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
    looked: list[_Looked],
    files: list[CarriedFile],
) -> Manifest:
    cursor = await holder.execute("select current_database(), version(), now()")
    stands = await cursor.fetchone()
    assert stands is not None, "constants are always one row"
    of_table: dict[str, list[Chunk]] = {}
    for one in looked:
        if one.chunk is not None:
            of_table.setdefault(one.piece.relation.table.full_name, []).append(one.chunk)
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
        others=await definitions.keep(task.chain, await others(holder)),
        objects=await objects(holder),
    )
