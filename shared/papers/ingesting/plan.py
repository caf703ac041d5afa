"""What is to be read of a file: its row, and the parts that may be read at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from shared.papers.ingesting import files
from shared.papers.ingesting.errors import unknown_ingest
from shared.papers.models import IngestPlan, IngestState
from shared.papers.reading import parquet
from shared.papers.reading.lines import plain, unpacked
from shared.papers.reading.marks import LONGEST_RECORD, Mark
from shared.papers.reading.table import Header
from shared.papers.settings import settings
from shared.papers.sources import adapter
from shared.papers.sources.columns import check_columns
from shared.papers.sources.table import ColumnMapping
from shared.platform.errors import InvalidInput
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID

    from shared.papers.ingesting.files import Kind, StoredFile
    from shared.papers.models import IngestRef
    from shared.papers.sources.paper import Adapter

MOST_PARTS = 1_000


async def plan(ingest: IngestRef) -> IngestPlan:
    """Look at the file and write down its parts; repeated, it gives what stands there.

    Raises:
        NotFound: there is no such ingest, or no such file.
        Conflict: the file was replaced by another version.
        InvalidInput: it is too large, of a kind that is not read, or nothing says how its records are read.
    """
    waiting, planned = await _load(ingest.ingest_id)
    if not waiting:
        return planned
    file = await files.look(settings().papers_container, waiting.blob)
    if file.etag != waiting.etag:
        raise file.replaced()
    await _store(waiting, await _look(waiting, file))
    return (await _load(ingest.ingest_id))[1]


async def _look(waiting: _Waiting, file: StoredFile) -> _Look:
    reader = adapter(waiting.source, waiting.mapping)
    if file.size > settings().papers_most_gb * 1e9:
        raise InvalidInput(
            f"The file {waiting.blob} has {file.size:,} bytes; at most {settings().papers_most_gb:g} GB are taken.",
            field="blob",
            code="file-too-large",
            remedy="Cut it into several files.",
        )
    kind = files.kind_of(waiting.blob, await file.read(0, len(files.GZIP)) if file.size else b"")
    if kind.format != "parquet":
        await files.check_text(file, kind)
    read = await files.unpack(file, f"work/{waiting.ingest_id}.parquet") if kind.packed_parquet else file
    parts, header = await _cut(read, kind, reader)
    return _Look(read, kind, parts, header)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An ingest of which nothing but the file is known."""

    ingest_id: UUID
    blob: str
    etag: str
    source: str
    mapping: ColumnMapping | None


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a file, and where its reading begins."""

    begins: int
    ends: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen of a file: it, or what it was unpacked into, and how it is cut."""

    read: StoredFile
    kind: Kind
    parts: list[_Part]
    header: str | None


async def _cut(file: StoredFile, kind: Kind, reader: Adapter) -> tuple[list[_Part], str | None]:
    """The parts, and the header of a CSV file."""
    if kind.format == "parquet":
        layout = await parquet.layout(parquet.open_file(file, file.size))
        check_columns(file.name, layout.columns, reader)
        return _runs(layout.groups), None
    if kind.format == "csv":
        header, behind = await _header(file, kind)
        check_columns(file.name, Header.read(header).names, reader)
        return [_Part(0, file.size, behind)], header
    if kind.gzip:
        return [_Part(0, file.size, Mark(0, 0))], None
    length = _length(file.size)
    return [
        # From the byte before, which tells whether a record begins with the part.
        _Part(begin, min(begin + length, file.size), Mark(0, max(begin - 1, 0)))
        for begin in range(0, file.size, length)
    ], None


def _length(size: int) -> int:
    """Bytes of a part of so many."""
    return max(settings().papers_part_mb * 1_000_000, -(-size // MOST_PARTS))


def _runs(sizes: list[int]) -> list[_Part]:
    """Neighbouring row groups of these sizes together: a part begins with the first one behind a part's length."""
    length = _length(sum(sizes))
    places = [end - size for end, size in zip(accumulate(sizes), sizes, strict=True)]
    begins = [number for number, at in enumerate(places) if not number or at // length > places[number - 1] // length]
    return [_Part(begin, end, Mark(0, 0)) for begin, end in pairwise([*begins, len(sizes)])]


async def _header(file: StoredFile, kind: Kind) -> tuple[str, Mark]:
    """The header of a CSV file, and the place behind it.

    Raises:
        InvalidInput: the file is empty, or its first record is no header.
    """
    lines = (unpacked if kind.gzip else plain)(file.chunks(0), Mark(0, 0))
    pieces: list[str] = []
    quotation_marks, size = 0, 0
    async for line in lines:
        piece = (line.data or b"").decode(errors="replace").removeprefix("\ufeff")
        pieces.append(piece)
        quotation_marks += piece.count('"')
        size += len(piece)
        if quotation_marks % 2 == 0 or size > LONGEST_RECORD:
            text = "".join(pieces)
            names = Header.read(text).names
            if len(names) > 1 and all(names):
                return text, line.after
            break
    raise InvalidInput(
        f"The CSV file {file.name} does not begin with the names of its columns.",
        field="blob",
        code="no-header",
        remedy="Let its first line name two columns or more.",
    )


async def _store(waiting: _Waiting, look: _Look) -> None:
    """Write down what was seen, unless another delivery has."""
    async with database() as connection:
        planned = await connection.execute(
            "update papers.ingests set state = 'reading', read_blob = %s, read_etag = %s, read_size = %s, format = %s,"
            " gzip = %s where ingest_id = %s and state = 'waiting'",
            (look.read.name, look.read.etag, look.read.size, look.kind.format, look.kind.gzip, waiting.ingest_id),
        )
        if not planned.rowcount:
            return
        async with connection.cursor() as cursor:
            await cursor.executemany(
                "insert into papers.ingest_parts (ingest_id, part, begins, ends, member, mark, header)"
                " values (%s, %s, %s, %s, %s, %s, %s)",
                [
                    (waiting.ingest_id, number, part.begins, part.ends, part.mark.member, part.mark.offset, look.header)
                    for number, part in enumerate(look.parts)
                ],
            )


async def _load(ingest_id: UUID) -> tuple[_Waiting | None, IngestPlan]:
    """The ingest that waits for its plan, if it does, and the plan as it stands.

    Raises:
        NotFound: there is no such ingest.
    """
    async with database() as connection:
        ingests = await rows(
            connection,
            "select i.blob, i.etag, i.source, i.mapping, i.state, count(p.part)::int as parts"
            " from papers.ingests i left join papers.ingest_parts p using (ingest_id)"
            " where ingest_id = %s group by ingest_id",
            (ingest_id,),
        )
    if not ingests:
        raise unknown_ingest(ingest_id)
    row = ingests[0]
    mapping = ColumnMapping.model_validate(row["mapping"]) if row["mapping"] else None
    waiting = _Waiting(ingest_id, row["blob"], row["etag"], row["source"], mapping)
    ended = row["state"] not in (IngestState.WAITING, IngestState.READING, IngestState.MERGING)
    plan = IngestPlan(ingest_id=ingest_id, parts=row["parts"], ended=ended)
    return waiting if row["state"] == IngestState.WAITING else None, plan
