"""Which files are to be taken in: those that were dropped into the inbox, and ingests that nobody works on."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from shared.papers.ingesting import files
from shared.papers.models import IngestRef
from shared.papers.settings import settings
from shared.papers.sources import SOURCES, adapter
from shared.papers.sources.table import ColumnMapping
from shared.platform.errors import InvalidInput, NotFound
from shared.platform.stores.blob_files import list_blobs
from shared.platform.stores.paging import each
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from shared.platform.messaging.event_grid import GridEvent
    from shared.platform.stores.blob_files import ListedBlob

_NAMESPACE = UUID("6f6d4d4e-7a52-4c53-9d0f-0d7f3c1b5a11")
_PAGE = 5_000
BY_INBOX = "inbox"
BLOB_CREATED = "Microsoft.Storage.BlobCreated"


async def accept(blob: str, source: str, mapping: ColumnMapping | None, started_by: str) -> IngestRef:
    """Note that a file's newest version is to be taken in. Asked twice of one version it is the same ingest.

    One that failed or was discarded begins anew.

    Without a mapping a source of one's own is read by that of its file before.

    Raises:
        NotFound: there is no such file.
        InvalidInput: nothing says how records of this source are read, or its own adapter does and a mapping came.
    """
    if mapping is not None and source in SOURCES:
        raise InvalidInput(
            f"The source {source!r} is read by its own adapter, which knows more than a mapping says.",
            field="mapping",
            code="mapping-of-known-source",
            remedy="Leave mapping out, or name a source of your own.",
        )
    mapping = mapping or await _mapping_of(source)
    adapter(source, mapping)
    file = await files.look(settings().papers_container, blob)
    version = _FileVersion(blob, file.etag, file.size, source, mapping, started_by)
    await _forget(version.ingest_id)
    await _note(version)
    return IngestRef(ingest_id=version.ingest_id)


async def anything_to_do() -> bool:
    """Whether an ingest has not ended, or a file lies in the inbox of which no ingest is known."""
    return bool(await unfinished()) or await anything_new()


async def anything_new() -> bool:
    """Whether a file lies in the inbox of which no ingest is known."""
    async with aclosing(_new_files()) as new_files:
        async for _ in new_files:
            return True
    return False


async def accept_new() -> None:
    """Note all that is new in the inbox. `inbox/arxiv/2026.jsonl` holds records of the source arxiv."""
    async for file in _new_files():
        source = _source_of(file.name)
        mapping = await _mapping_of(source)
        await _note(_FileVersion(file.name, files.plain_etag(file.etag), file.size, source, mapping, BY_INBOX))


def dropped_file(event: GridEvent) -> str | None:
    """The name of the file that came into the inbox by what the event says; None: it says nothing of the kind."""
    place = f"/blobServices/default/containers/{settings().papers_container}/blobs/"
    name = event.subject.removeprefix(place)
    return name if event.event_type == BLOB_CREATED and event.subject == f"{place}{name}" and _is_in(name) else None


async def accept_dropped(blob: str) -> IngestRef | None:
    """Note that a file which an event names is to be taken in, in the version that is there now.

    None: it is deleted, or taken in before, or nothing says how its source is read. Of the last the minute timer's look
    makes an ingest that fails with this reason: whoever uploads the file may be about to say it.
    """
    try:
        file = await files.look(settings().papers_container, blob)
        mapping = await _mapping_of(_source_of(blob))
        adapter(_source_of(blob), mapping)
    except (NotFound, InvalidInput):
        return None
    async with database() as connection:
        ingests = await rows(
            connection,
            "select ingest_id, ended_at is null and state <> 'held' as open from papers.ingests"
            " where blob = %s and etag = %s order by started_at desc limit 1",
            (blob, file.etag),
        )
    if ingests:
        return IngestRef(ingest_id=ingests[0]["ingest_id"]) if ingests[0]["open"] else None
    version = _FileVersion(blob, file.etag, file.size, _source_of(blob), mapping, BY_INBOX)
    await _note(version)
    return IngestRef(ingest_id=version.ingest_id)


async def unfinished() -> list[IngestRef]:
    """Ingests that have not ended, for whoever can tell whether anything works on them."""
    async with database() as connection:
        ingests = await rows(
            connection,
            "select ingest_id from papers.ingests where state in ('waiting', 'reading', 'merging')"
            " order by started_at limit 1000",
        )
    return [IngestRef.model_validate(row) for row in ingests]


@dataclass(frozen=True, slots=True)
class _FileVersion:
    """A version of a file, and how its records are understood."""

    blob: str
    etag: str
    size: int
    source: str
    mapping: ColumnMapping | None
    started_by: str

    @property
    def ingest_id(self) -> UUID:
        """The same for the same version, understood in the same way."""
        mapping = self.mapping.model_dump() if self.mapping else None
        return uuid5(_NAMESPACE, json.dumps([self.blob, self.etag, self.source, mapping]))


def _source_of(blob: str) -> str:
    return blob.removeprefix(files.INBOX).partition("/")[0]


def _is_in(blob: str) -> bool:
    return blob.startswith(files.INBOX) and len(blob) > len(files.INBOX)


async def _mapping_of(source: str) -> ColumnMapping | None:
    """How the newest file of a source of one's own is read; None: nobody has said it."""
    if source in SOURCES:
        return None
    async with database() as connection:
        mappings = await rows(
            connection,
            "select mapping from papers.ingests where source = %s and mapping is not null"
            " order by started_at desc limit 1",
            (source,),
        )
    return ColumnMapping.model_validate(mappings[0]["mapping"]) if mappings else None


async def _note(version: _FileVersion) -> None:
    mapping = version.mapping.model_dump_json() if version.mapping else None
    async with database() as connection:
        await connection.execute(
            "insert into papers.ingests (ingest_id, blob, etag, size, source, mapping, started_by)"
            " values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            (version.ingest_id, version.blob, version.etag, version.size, version.source, mapping, version.started_by),
        )


def _new_files() -> AsyncGenerator[ListedBlob]:
    async def read(at: str | None) -> tuple[list[ListedBlob], str | None]:
        page = await list_blobs(settings().papers_container, limit=_PAGE, prefix=files.INBOX, continuation=at)
        return await _without_ingest(page.blobs), page.continuation

    return each(read)


async def _forget(ingest_id: UUID) -> None:
    async with database() as connection:
        await connection.execute(
            "delete from papers.ingests where ingest_id = %s and state in ('failed', 'discarded')", (ingest_id,)
        )


async def _without_ingest(blobs: list[ListedBlob]) -> list[ListedBlob]:
    async with database() as connection:
        ingests = await rows(
            connection,
            "select distinct blob, etag from papers.ingests where blob = any(%s)",
            ([blob.name for blob in blobs],),
        )
    versions = {(row["blob"], row["etag"]) for row in ingests}
    return [blob for blob in blobs if (blob.name, files.plain_etag(blob.etag)) not in versions]
