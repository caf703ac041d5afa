"""A chunk of a backup: the rows in some blocks of a table, as PostgreSQL's binary COPY in a gzipped file."""

from __future__ import annotations

import asyncio
import hashlib
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backups.blobs.fetching import corrupt, fetch
from shared.backups.contents.catalog import Relation, checksum, same_texts
from shared.backups.models import Chunk, Table
from shared.backups.settings import settings
from shared.platform.errors import Conflict, TransientError
from shared.platform.files import read_chunks, scratch_folder
from shared.platform.stores.blob_files import blob_details, replace_blob

if TYPE_CHECKING:
    from psycopg import AsyncConnection

CHUNK_BYTES = 64 << 20
"""Of a table with its TOAST: what a chunk is of, about."""
MOST_BLOCKS = 8_192
COMPRESSION = 1
_SAID = {"sha256", "size", "rows", "checksum"}
"""What the metadata of a chunk say of it."""
MOST_BYTES = 64 << 30
"""Of a chunk's file; a guard against a blob that is none."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some blocks of a table, from the first to before the last."""

    relation: Relation
    first: int
    end: int

    @property
    def where(self) -> str:
        """The condition of their rows; made of numbers."""
        return f"ctid >= '({self.first},0)'::tid and ctid < '({self.end},0)'::tid"


def blocks_of_chunk(relation: Relation, before: int | None = None) -> int:
    """How many blocks of the table, without its TOAST, are in a chunk of about CHUNK_BYTES.

    A power of two, and that of the chain's last backup (`before`) as long as its chunks are not four times too large or
    too small: another cut is another set of chunks, which are all written anew.
    """
    fitting = CHUNK_BYTES * max(relation.blocks, 1) // max(relation.size, 1)
    best = 1 << (max(1, min(fitting, MOST_BLOCKS)).bit_length() - 1)
    return before if before is not None and best <= 4 * before <= 16 * best else best


def pieces(relation: Relation, blocks: int) -> list[Piece]:
    """The table, cut every `blocks` blocks. The last piece is open: rows may have come since it was measured."""
    firsts = range(0, max(relation.blocks, 1), blocks)
    return [
        Piece(relation, first, 2**32 - 1 if first + blocks >= relation.blocks else first + blocks) for first in firsts
    ]


async def name_of_chunk(connection: AsyncConnection[Any], piece: Piece, chain: str) -> str | None:
    """The blob of the chunk of these rows as the connection's snapshot sees them; None where there is no row.

    What changed is seen by the version of each row: the transaction that made it, and its place. So this costs a look
    at the rows' heads, not at their contents.
    """
    table, relation = piece.relation.table, piece.relation
    versions = await _versions(connection, table, piece.where)
    if versions is None:
        return None
    made_of = hashlib.sha256(f"{versions}/{table.columns}/{relation.shape}".encode()).hexdigest()[:20]
    folder = re.sub(r"[^\w.]", "-", f"{table.schema_name}.{table.name}", flags=re.ASCII)
    return f"chunks/{chain}/{folder}/{relation.filenode}-{piece.first:08}-{made_of}.copy.gz"


async def write_chunk(connection: AsyncConnection[Any], piece: Piece, name: str) -> Chunk:
    """Write the chunk that no backup of the chain has."""
    table = piece.relation.table
    rows, total = await checksum(connection, table, piece.where)
    async with scratch_folder("manifold-backup-") as folder:
        file = folder / "chunk"
        digest = await _copy_out(connection, table, piece.where, file)
        size = (await asyncio.to_thread(file.stat)).st_size
        metadata = {"sha256": digest, "size": str(size), "rows": str(rows), "checksum": str(total)}
        there = await blob_details(settings().backups_container, name)
        seen = there.etag if there is not None and not there.metadata.keys() >= _SAID else None
        try:
            await replace_blob(settings().backups_container, name, read_chunks(file), seen=seen, metadata=metadata)
        except Conflict as error:  # another backup wrote these rows meanwhile
            if (known := await known_chunk(name)) is None:
                raise TransientError(f"{name} was deleted meanwhile.", code="backup-changed") from error
            return known
    return Chunk(blob=name, sha256=digest, size=size, rows=rows, checksum=total, new=True)


async def _versions(connection: AsyncConnection[Any], table: Table, where: str) -> str | None:
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    cursor = await connection.execute(
        sql.SQL(
            "select count(*), sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)::numeric)::text"
            " from only {} where {}"
        ).format(
            sql.Identifier(table.schema_name, table.name),
            sql.SQL(where),  # pyright: ignore[reportArgumentType] - made of numbers above
        )
    )
    counted = await cursor.fetchone()
    assert counted is not None, "an aggregate is always one row"
    return f"{counted[0]}:{counted[1]}" if counted[0] else None


async def known_chunk(name: str) -> Chunk | None:
    """The chunk as the backup that wrote it has described it; None: no backup of the chain has it.

    A blob that does not describe itself was written by nobody who takes backups, and counts as none.
    """
    details = await blob_details(settings().backups_container, name)
    if details is None or not details.metadata.keys() >= _SAID:
        return None
    metadata = details.metadata
    return Chunk(
        blob=name,
        sha256=metadata["sha256"],
        size=int(metadata["size"]),
        rows=int(metadata["rows"]),
        checksum=int(metadata["checksum"]),
    )


async def _copy_out(connection: AsyncConnection[Any], table: Table, where: str, path: Path) -> str:
    """Write the rows into the file; the sha256 of its bytes."""
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    statement = sql.SQL("copy (select {} from only {} where {}) to stdout (format binary)").format(
        _columns(table),
        sql.Identifier(table.schema_name, table.name),
        sql.SQL(where),  # pyright: ignore[reportArgumentType] - made of numbers above
    )
    digest, packer = hashlib.sha256(), zlib.compressobj(COMPRESSION, wbits=31)
    file = await asyncio.to_thread(path.open, "xb")

    def write(rows: bytes, *, last: bool = False) -> None:
        packed = packer.compress(rows) + (packer.flush() if last else b"")
        digest.update(packed)
        file.write(packed)

    try:
        async with connection.cursor().copy(statement) as copy:
            async for rows in copy:
                await asyncio.to_thread(write, bytes(rows))
        await asyncio.to_thread(write, b"", last=True)
    finally:
        await asyncio.to_thread(file.close)
    return digest.hexdigest()


async def import_chunk(connection: AsyncConnection[Any], table: Table, chunk: Chunk) -> None:
    """Bring the chunk's rows into the table.

    Raises:
        TerminalError: as `fetch`, or it has other rows than its backup says; nothing of the chunk was brought in.
    """
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    await _copy_in(connection, sql.Identifier(table.schema_name, table.name), table, chunk)


async def import_beside(connection: AsyncConnection[Any], table: Table, chunk: Chunk) -> tuple[int, int]:
    """Bring in those rows of the chunk whose keys are free; how many were not, and the sum of their hashes.

    Raises:
        TerminalError: as `fetch`; nothing of the chunk was brought in.
    """
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    into, columns = sql.Identifier(table.schema_name, table.name), _columns(table)
    await connection.execute(
        sql.SQL("create temporary table chunk_in on commit drop as select {} from {} with no data").format(
            columns, into
        )
    )
    await _copy_in(connection, sql.Identifier("pg_temp", "chunk_in"), table, chunk)
    await same_texts(connection)
    cursor = await connection.execute(
        sql.SQL(
            "with brought as (insert into {} ({}) overriding system value select * from pg_temp.chunk_in"
            " on conflict do nothing returning {}) select count(*),"
            " coalesce(sum(hashtextextended(brought::text, 0)::numeric), 0)::text from brought"
        ).format(into, columns, columns)
    )
    counted = await cursor.fetchone()
    assert counted is not None, "an aggregate is always one row"
    return chunk.rows - counted[0], chunk.checksum - int(counted[1])


async def _copy_in(connection: AsyncConnection[Any], into: Any, table: Table, chunk: Chunk) -> None:
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    async with scratch_folder("manifold-restore-") as folder:
        file = folder / "chunk"
        await fetch(chunk.blob, chunk.sha256, file, most=MOST_BYTES)
        statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(into, _columns(table))
        unpacker = zlib.decompressobj(wbits=31)
        cursor = connection.cursor()
        async with cursor.copy(statement) as copy:
            async for packed in read_chunks(file):
                await copy.write(await asyncio.to_thread(unpacker.decompress, packed))
            await copy.write(unpacker.flush())
    if cursor.rowcount != chunk.rows:
        raise corrupt(chunk.blob, f"it holds {cursor.rowcount:,} rows instead of {chunk.rows:,}")


def _columns(table: Table) -> Any:
    from psycopg import sql  # noqa: PLC0415 - the driver loads in the activity

    return sql.SQL(", ").join(map(sql.Identifier, table.columns))
