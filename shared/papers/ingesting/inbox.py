"""Which files are to be taken in: those that were dropped into the inbox, and ingests that nobody works on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from shared.papers.ingesting import files
from shared.papers.models import StartIngest
from shared.papers.settings import settings
from shared.papers.sources.table import ColumnMapping
from shared.platform.stores.blob_files import list_blobs
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.platform.stores.blob_files import ListedBlob

_NAMESPACE = UUID("6f6d4d4e-7a52-4c53-9d0f-0d7f3c1b5a11")
_PAGE = 5_000
BY_INBOX = "inbox"


async def start_of(blob: str, source: str, mapping: ColumnMapping | None, started_by: str) -> StartIngest:
    """The ingest of a file's newest version. Asked twice of one version it is the same one.

    Raises:
        NotFound: there is no such file.
    """
    file = await files.look(settings().papers_container, blob)
    return _start(blob, file.etag, source, mapping, started_by)


async def new_files() -> list[StartIngest]:
    """The files in the inbox of which no ingest is known. `inbox/arxiv/2026.jsonl` holds records of arxiv."""
    found: list[StartIngest] = []
    continuation: str | None = None
    while True:
        page = await list_blobs(settings().papers_container, limit=_PAGE, prefix=files.INBOX, continuation=continuation)
        found += [_start(one.name, files.plain_etag(one.etag), _source(one.name), None, BY_INBOX) for one in await _unknown(page.blobs)]
        continuation = page.continuation
        if continuation is None:
            return found


async def unfinished() -> list[StartIngest]:
    """Ingests that have not ended, for whoever can tell whether anything works on them."""
    async with database() as connection:
        found = await rows(
            connection,
            "select ingest_id, blob, etag, source, mapping, started_by from papers.ingests"
            " where state in ('reading', 'merging') order by started_at limit 1000",
        )
    return [StartIngest.model_validate(row) for row in found]


async def forget(ingest_id: UUID) -> None:
    """Drop an ingest that failed or was discarded, so that its file can be taken in anew."""
    async with database() as connection:
        await connection.execute(
            "delete from papers.ingests where ingest_id = %s and state in ('failed', 'discarded')", (ingest_id,)
        )


async def _unknown(blobs: list[ListedBlob]) -> list[ListedBlob]:
    async with database() as connection:
        known = await rows(
            connection,
            "select distinct blob, etag from papers.ingests where blob = any(%s)",
            ([blob.name for blob in blobs],),
        )
    versions = {(row["blob"], row["etag"]) for row in known}
    return [blob for blob in blobs if (blob.name, files.plain_etag(blob.etag)) not in versions]


def _source(blob: str) -> str:
    return blob.removeprefix(files.INBOX).partition("/")[0]


def _start(blob: str, etag: str, source: str, mapping: ColumnMapping | None, started_by: str) -> StartIngest:
    identity = json.dumps([blob, etag, source, mapping.model_dump() if mapping else None])
    return StartIngest(
        ingest_id=uuid5(_NAMESPACE, identity),
        blob=blob,
        etag=etag,
        source=source,
        mapping=mapping,
        started_by=started_by,
    )
