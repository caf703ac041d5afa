"""Whether what was restored, and what the app's database holds now, is what the backup says; in time boxes.

What was compared is noted in the schema `restoring` of the database that was restored into, so that a box goes on where
the one before ended.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from shared.backups.contents.catalog import Relation, checksum, relations, same_texts
from shared.backups.contents.chunks import Piece, blocks_of_chunk, name_of_chunk, pieces
from shared.backups.models import Chunk, Manifest, Verdict
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection

SHOWN = 10
NOTES = """
create table if not exists restoring.compared (
    name text not null, first int8 not null, rows int8 not null, total numeric not null, primary key (name, first)
);
create table if not exists restoring.looked_at (name text not null, first int8 not null, primary key (name, first));
create table if not exists restoring.differences (place int generated always as identity, difference text unique)
"""


async def compare(
    connection: AsyncConnection[Any], manifest: Manifest, *, late: bool | None = None, deadline: float = float("inf")
) -> Verdict:
    """Whether every table holds the rows that the backup says: as many, and of the same checksum.

    With `late` only those of that round, since the app may have written to the others.
    """
    wanted = {table.full_name: table for table in manifest.tables if late is None or table.late is late}
    there = [one for one in await relations(connection) if one.table.full_name in wanted]
    known = await _noted(connection, "compared")
    await connection.commit()
    for piece in _cut_anew(there):
        name = piece.relation.table.full_name
        if (name, piece.first) in known:
            continue
        await same_texts(connection)
        counted, total = await checksum(connection, wanted[name], piece.where)
        await connection.execute(
            "insert into restoring.compared values (%s, %s, %s, %s) on conflict do nothing",
            (name, piece.first, counted, total),
        )
        await connection.commit()
        if monotonic() > deadline:  # asked after a piece, so that each box does one at least
            return Verdict(verdict="same", tables=len(wanted), rows=0, done=False)
    sums = await rows(
        connection,
        "select name, sum(rows)::int8 as rows, sum(total)::text as total from restoring.compared group by name",
    )
    found = {row["name"]: (row["rows"], int(row["total"])) for row in sums}
    differences: list[str] = []
    for name, table in wanted.items():
        counted, total = found.get(name, (0, 0))
        if (counted, total) != (table.rows, table.checksum):
            how = f"{counted:,} rows instead of {table.rows:,}" if counted != table.rows else "other values"
            differences.append(f"{name}: {how}")
    return Verdict(
        verdict="different" if differences else "same",
        tables=len(wanted),
        rows=sum(table.rows for table in wanted.values()),
        differences=differences[:SHOWN],
    )


async def look_at_live_rows(notes: AsyncConnection[Any], manifest: Manifest, *, deadline: float) -> bool:
    """Read what the app's database holds where, by the versions of its rows, nothing has changed since the backup.

    A backup takes such rows from an earlier one, without reading them. Here they are read, and what differs is noted.
    False: the time was over before all were read.
    """
    chunks = {chunk.blob: chunk for table in manifest.tables for chunk in table.chunks}
    cuts = {table.full_name: table.cut for table in manifest.tables}
    known = await _noted(notes, "looked_at")
    async with database() as connection:
        there = await relations(connection)
    for piece in [piece for one in there for piece in pieces(one, cuts.get(one.table.full_name, blocks_of_chunk(one)))]:
        name = piece.relation.table.full_name
        if (name, piece.first) in known:
            continue
        if not await _as_said(piece, manifest.chain, chunks):
            await note(notes, [f"{name}: its rows changed, and their versions did not tell"])
        await notes.execute(
            "insert into restoring.looked_at values (%s, %s) on conflict do nothing", (name, piece.first)
        )
        await notes.commit()
        if monotonic() > deadline:
            return False
    return True


async def note(connection: AsyncConnection[Any], differences: Sequence[str]) -> None:
    """Keep what differs, for the verdict."""
    for difference in differences:
        await connection.execute(
            "insert into restoring.differences (difference) values (%s) on conflict do nothing", (difference,)
        )


async def noted(connection: AsyncConnection[Any]) -> list[str]:
    """What was found to differ, in the order in which it was found."""
    return [
        row["difference"]
        for row in await rows(connection, "select difference from restoring.differences order by place")
    ]


async def _as_said(piece: Piece, chain: str, chunks: dict[str, Chunk]) -> bool:
    async with database() as connection:
        await connection.execute("set transaction isolation level repeatable read, read only")
        await same_texts(connection)
        name = await name_of_chunk(connection, piece, chain)
        if name is None or name not in chunks:
            return True  # it has changed, and the next backup reads it
        return await checksum(connection, piece.relation.table, piece.where) == (
            chunks[name].rows,
            chunks[name].checksum,
        )


def _cut_anew(there: list[Relation]) -> list[Piece]:
    # Its rows lie elsewhere than they did, so that it is cut as it lies now.
    return [piece for one in there for piece in pieces(one, blocks_of_chunk(one))]


async def _noted(connection: AsyncConnection[Any], table: str) -> set[tuple[str, int]]:
    found = await rows(connection, f"select name, first from restoring.{table}")  # noqa: S608 - ours
    return {(row["name"], row["first"]) for row in found}
