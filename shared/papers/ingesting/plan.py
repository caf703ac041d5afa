"""What is to be read of a file: its row, and the parts that may be read at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.papers.ingesting import files
from shared.papers.models import IngestPlan, IngestState, StartIngest
from shared.papers.reading import parquet
from shared.papers.reading.lines import plain, unpacked
from shared.papers.reading.marks import LONGEST_RECORD, Mark
from shared.papers.reading.table import Header
from shared.papers.settings import settings
from shared.papers.sources import adapter
from shared.platform.errors import InvalidInput
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID

    from shared.papers.ingesting.files import Kind, StoredFile

MOST_PARTS = 1_000


async def plan(task: StartIngest) -> IngestPlan:
    """Look at the file and write down its parts; repeated, it gives what stands there.

    A file that cannot be read leaves a row of the state `failed`, so that nobody tries it again by themselves.

    Raises:
        NotFound: there is no such file.
        Conflict: it was replaced by another version.
        InvalidInput: it is too large, of a kind that is not read, or nothing says how its records are read.
    """
    if known := await _known(task.ingest_id):
        return known
    file = await files.look(settings().papers_container, task.blob)
    if file.etag != task.etag:
        raise file.replaced()
    try:
        look = await _look(task, file)
    except InvalidInput as error:
        await _store(task, _Look(file, file, None, [], None), error)
        raise
    await _store(task, look, None)
    return await _known(task.ingest_id) or IngestPlan(ingest_id=task.ingest_id, parts=0, ended=True)


async def _look(task: StartIngest, file: StoredFile) -> _Look:
    adapter(task.source, task.mapping)
    if file.size > settings().papers_most_gb * 1e9:
        raise InvalidInput(
            f"The file {task.blob} has {file.size:,} bytes; at most {settings().papers_most_gb:g} GB are taken.",
            field="blob",
            code="file-too-large",
            remedy="Cut it into several files.",
        )
    kind = files.kind_of(task.blob, await file.read(0, 4) if file.size else b"")
    read = await files.unpack(file, f"work/{task.ingest_id}.parquet") if kind.packed_parquet else file
    parts, header = await _cut(read, kind)
    return _Look(file, read, kind, parts, header)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a file, and where its reading begins."""

    begins: int
    ends: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen of a file: it, what is read in its place, and how it is cut."""

    file: StoredFile
    read: StoredFile
    kind: Kind | None
    parts: list[_Part]
    header: str | None


async def _cut(file: StoredFile, kind: Kind) -> tuple[list[_Part], str | None]:
    """The parts, and the header of a CSV file."""
    if kind.format == "parquet":
        groups = await parquet.row_groups(parquet.open_file(file, file.size))
        return [_Part(number, number + 1, Mark(0, 0)) for number in range(len(groups))], None
    if kind.format == "csv":
        header, behind = await _header(file, kind)
        return [_Part(0, file.size, behind)], header
    if kind.gzip:
        return [_Part(0, file.size, Mark(0, 0))], None
    length = max(settings().papers_part_mb * 1_000_000, -(-file.size // MOST_PARTS))
    return [
        # From the byte before, which tells whether a record begins with the part.
        _Part(begin, min(begin + length, file.size), Mark(0, max(begin - 1, 0)))
        for begin in range(0, file.size, length)
    ], None


async def _header(file: StoredFile, kind: Kind) -> tuple[str, Mark]:
    """The header of a CSV file, and the place behind it.

    Raises:
        InvalidInput: the file is empty, or its first record is no header.
    """
    lines = (unpacked if kind.gzip else plain)(file.chunks(0), Mark(0, 0))
    text = ""
    async for line in lines:
        text += (line.data or b"").decode(errors="replace").removeprefix("\ufeff")
        if text.count('"') % 2 == 0 or len(text) > LONGEST_RECORD:
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


async def _store(task: StartIngest, look: _Look, error: InvalidInput | None) -> None:
    """Write down what was seen, unless another delivery has."""
    file, read = look.file, look.read
    values = {
        "ingest_id": task.ingest_id,
        "blob": task.blob,
        "etag": file.etag,
        "size": file.size,
        "read_blob": read.name,
        "read_etag": read.etag,
        "read_size": read.size,
        "source": task.source,
        "format": look.kind.format if look.kind else None,
        "gzip": look.kind.gzip if look.kind else False,
        "mapping": task.mapping.model_dump_json() if task.mapping else None,
        "started_by": task.started_by,
        "state": IngestState.FAILED if error else IngestState.READING,
        "error": str(error)[:1000] if error else None,
    }
    async with database() as connection:
        added = await connection.execute(_INSERT, values)
        if not added.rowcount:
            return
        async with connection.cursor() as cursor:
            await cursor.executemany(
                "insert into papers.ingest_parts (ingest_id, part, begins, ends, member, mark, header)"
                " values (%s, %s, %s, %s, %s, %s, %s)",
                [
                    (task.ingest_id, number, part.begins, part.ends, part.mark.member, part.mark.offset, look.header)
                    for number, part in enumerate(look.parts)
                ],
            )


_INSERT = """
insert into papers.ingests (ingest_id, blob, etag, size, read_blob, read_etag, read_size, source, format, gzip, mapping,
    started_by, state, error, ended_at)
values (%(ingest_id)s, %(blob)s, %(etag)s, %(size)s, %(read_blob)s, %(read_etag)s, %(read_size)s, %(source)s,
    %(format)s, %(gzip)s, %(mapping)s, %(started_by)s, %(state)s, %(error)s,
    case when %(state)s = 'failed' then now() end)
on conflict do nothing
"""


async def _known(ingest_id: UUID) -> IngestPlan | None:
    async with database() as connection:
        found = await rows(
            connection,
            "select i.state, count(p.part)::int as parts"
            " from papers.ingests i left join papers.ingest_parts p using (ingest_id)"
            " where ingest_id = %s group by ingest_id",
            (ingest_id,),
        )
    if not found:
        return None
    ended = found[0]["state"] not in (IngestState.READING, IngestState.MERGING)
    return IngestPlan(ingest_id=ingest_id, parts=found[0]["parts"], ended=ended)
