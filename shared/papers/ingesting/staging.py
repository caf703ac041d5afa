"""From a part of a file to staged records, each once, whatever is delivered twice or dies on the way.

A part's mark is moved only by who saw where it stood, in one transaction with the records before it.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.papers.ingesting.errors import ingest_ended
from shared.papers.ingesting.files import StoredFile
from shared.papers.models import IngestState, PartRead, ReadPart
from shared.papers.reading import jsonl, parquet, table
from shared.papers.reading.lines import plain, unpacked
from shared.papers.reading.marks import Line, Mark, Record
from shared.papers.settings import settings
from shared.papers.sources import adapter
from shared.papers.sources.rejected import RecordRejected
from shared.papers.sources.table import ColumnMapping
from shared.platform.errors import NotFound
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from shared.papers.sources.paper import Paper

BATCH_RECORDS = 2_000
BATCH_SECONDS = 2.0
"""A transaction, of staging and of merging, holds about this many records, or of staging what comes in that time: what
a crash makes us read again."""
LONGEST_WAY = 200.0
"""Seconds of unpacking up to the mark which a box is made as long as; with them an activity stays under ten minutes."""
LONGEST_BEGINNING = 2_000


@dataclass(frozen=True, slots=True)
class _Part:
    """A part as its row stands, and the file that it is of."""

    ingest_id: UUID
    number: int
    file: StoredFile
    source: str
    format: str
    gzip: bool
    mapping: ColumnMapping | None
    header: str | None
    begins: int
    ends: int
    mark: Mark
    lines: int
    records: int
    rejected: int
    done: bool

    @property
    def cut_by_bytes(self) -> bool:
        return self.format == "jsonl" and not self.gzip


@dataclass(slots=True)
class _Batch:
    """What was read on from a mark."""

    read: list[tuple[int, Record]]
    mark: Mark
    lines: int
    ended: bool


class _TimeBox:
    """The time of an activity, counted from the first record behind the mark.

    Of a packed file all that lies before must be unpacked once more. A box takes as long as that did, where this is
    longer, so that half of the time at least is spent on what is new.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._made_at = clock()
        self._ends_at: float | None = None

    def begin(self) -> None:
        """A record came; the first one begins the box."""
        if self._ends_at is None:
            now = self.clock()
            self._ends_at = now + max(settings().papers_ingest_seconds, min(now - self._made_at, LONGEST_WAY))

    def over(self) -> bool:
        return self._ends_at is not None and self.clock() >= self._ends_at


async def read_part(task: ReadPart, *, clock: Callable[[], float] = time.monotonic) -> PartRead:
    """Stage the records of a part from its mark on, for about a time box; call again until `done`.

    Of two deliveries of a part at once one moves the mark; the other gives back where it stands.

    Raises:
        NotFound: the ingest has no such part.
        Conflict: the ingest ended, or its file was replaced.
        InvalidInput: the file is damaged; what stands before that is staged.
    """
    part = await _load(task)
    if not part.done:
        box = _TimeBox(clock)
        async with aclosing(_batches(part, box)) as batches:
            async for batch in batches:
                if not await _store(part, batch):
                    break  # overtaken
                # What the next batch must find is where this one ended, not where the row stands by then.
                part = replace(part, mark=batch.mark, lines=batch.lines)
                if batch.ended or box.over():
                    break
        part = await _load(task)
    return PartRead(records=part.records, rejected=part.rejected, done=part.done)


async def _batches(part: _Part, box: _TimeBox) -> AsyncGenerator[_Batch]:
    """The rest of the part, a transaction's share at a time; the last one has ended."""
    batch, deadline = _Batch([], part.mark, part.lines, ended=False), math.inf
    async for record in _records(part):
        if deadline == math.inf:
            box.begin()
            deadline = box.clock() + BATCH_SECONDS
        batch.lines += record.lines if record else 1
        batch.mark = record.after if record else batch.mark
        if record:
            batch.read.append((batch.lines - record.lines + 1, record))
        if len(batch.read) >= BATCH_RECORDS or box.clock() >= deadline:
            yield batch
            batch, deadline = _Batch([], batch.mark, batch.lines, ended=False), box.clock() + BATCH_SECONDS
    batch.ended = True
    yield batch


def _records(part: _Part) -> AsyncIterator[Record | None]:
    if part.format == "parquet":
        file = parquet.open_file(part.file, part.file.size)
        groups = range(part.begins, part.ends)
        return parquet.records(file, groups, part.mark.offset, adapter(part.source, part.mapping).columns)
    if part.gzip:
        lines = unpacked(part.file.chunks(part.mark.member), part.mark)
    else:
        lines = plain(part.file.chunks(part.mark.offset), part.mark)
    if part.format == "csv":
        return table.records(lines, table.Header.read(part.header or ""))
    return jsonl.records(_own(part, lines) if part.cut_by_bytes else lines)


async def _own(part: _Part, lines: AsyncIterator[Line]) -> AsyncIterator[Line]:
    """The lines that begin within the part. The first one read ends the record of the part before, if there is one."""
    begins = part.mark.offset
    skipped = begins >= part.begins
    async for line in lines:
        if begins >= part.ends:
            return
        if skipped:
            yield line
        begins, skipped = line.after.offset, True


async def _store(part: _Part, batch: _Batch) -> bool:
    """Stage what was read and move the mark; False: somebody else moved it."""
    staged, rejected = await asyncio.to_thread(_converted, part, batch)
    async with database() as connection:
        ingests = await rows(
            connection, "select state from papers.ingests where ingest_id = %s for share", (part.ingest_id,)
        )
        state = ingests[0]["state"] if ingests else None
        if state != IngestState.READING:
            raise ingest_ended(part.ingest_id, state, IngestState.READING)
        moved = await connection.execute(
            "update papers.ingest_parts set member = %s, mark = %s, lines = %s, records = records + %s,"
            " rejected = rejected + %s, done = %s"
            " where ingest_id = %s and part = %s and member = %s and mark = %s and lines = %s and not done",
            (
                batch.mark.member,
                batch.mark.offset,
                batch.lines,
                len(staged),
                len(rejected),
                batch.ended,
                part.ingest_id,
                part.number,
                part.mark.member,
                part.mark.offset,
                part.lines,
            ),
        )
        if not moved.rowcount:
            return False
        await _copy(connection, _COPY_STAGED, _STAGED_TYPES, staged)
        await _copy(connection, _COPY_REJECTS, _REJECTS_TYPES, rejected)
    return True


async def _copy(connection: Any, statement: str, types: list[str], values: list[tuple[Any, ...]]) -> None:
    if not values:
        return
    async with connection.cursor().copy(statement) as copy:
        copy.set_types(types)
        for row in values:
            await copy.write_row(row)


def _converted(part: _Part, batch: _Batch) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rows of `staged` and of `rejects`."""
    paper_of = adapter(part.source, part.mapping).paper
    staged: list[tuple[Any, ...]] = []
    rejected: list[tuple[Any, ...]] = []
    for line, record in batch.read:
        key = (part.ingest_id, part.number, line)
        if record.value is None:
            rejected.append((*key, record.reason, _storable(record.beginning)))
            continue
        try:
            staged.append((*key, *_columns(paper_of(record.value))))
        except RecordRejected as reason:
            rejected.append((*key, str(reason), _storable(json.dumps(record.value, ensure_ascii=False, default=str))))
    return staged, rejected


def _columns(paper: Paper) -> tuple[Any, ...]:
    return (
        paper.source_id,
        paper.title,
        paper.abstract,
        list(paper.authors),
        paper.author_keys(),
        list(paper.categories),
        paper.primary_date,
        paper.doi,
        paper.arxiv_id,
        paper.link,
        paper.withdrawn,
        paper.version_at,
        paper.details,
        paper.content_hash(),
    )


def _storable(text: str) -> str:
    return text[:LONGEST_BEGINNING].encode(errors="replace").decode().replace("\0", "\ufffd")


async def _load(task: ReadPart) -> _Part:
    async with database() as connection:
        parts = await rows(
            connection,
            "select i.*, p.* from papers.ingest_parts p join papers.ingests i using (ingest_id)"
            " where ingest_id = %s and part = %s",
            (task.ingest_id, task.part),
        )
    if not parts:
        raise NotFound(
            f"The ingest {task.ingest_id} has no part {task.part}.",
            code="unknown-part",
            remedy="POST /api/papers/ingest takes the file in anew.",
        )
    row = parts[0]
    return _Part(
        ingest_id=task.ingest_id,
        number=task.part,
        file=StoredFile(settings().papers_container, row["read_blob"], row["read_etag"], row["read_size"]),
        source=row["source"],
        format=row["format"],
        gzip=row["gzip"],
        mapping=ColumnMapping.model_validate(row["mapping"]) if row["mapping"] else None,
        header=row["header"],
        begins=row["begins"],
        ends=row["ends"],
        mark=Mark(row["member"], row["mark"]),
        lines=row["lines"],
        records=row["records"],
        rejected=row["rejected"],
        done=row["done"],
    )


_COPY_STAGED = (
    "copy papers.staged (ingest_id, part, line, source_id, title, abstract, authors, author_keys, categories,"
    " primary_date, doi, arxiv_id, link, withdrawn, version_at, details, content_hash) from stdin (format binary)"
)
_STAGED_TYPES = [
    "uuid", "int4", "int8", "text", "text", "text", "text[]", "text[]", "text[]",
    "date", "text", "text", "text", "bool", "timestamptz", "jsonb", "bytea",
]  # fmt: skip
_COPY_REJECTS = "copy papers.rejects (ingest_id, part, line, reason, record) from stdin (format binary)"
_REJECTS_TYPES = ["uuid", "int4", "int8", "text", "text"]
