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
from shared.papers.sources import adapter
from shared.papers.sources.table import ColumnMapping
from shared.platform.stores.blob_files import list_blobs
from shared.platform.stores.paging import each
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from shared.platform.stores.blob_files import ListedBlob

_NAMESPACE = UUID("6f6d4d4e-7a52-4c53-9d0f-0d7f3c1b5a11")
_PAGE = 5_000
BY_INBOX = "inbox"


async def accept(blob: str, source: str, mapping: ColumnMapping | None, started_by: str) -> IngestRef:
    """Note that a file's newest version is to be taken in. Asked twice of one version it is the same ingest.

    One that failed or was discarded begins anew.

    Raises:
        NotFound: there is no such file.
        InvalidInput: nothing says how records of this source are read.
    """
    adapter(source, mapping)
    file = await files.look(settings().papers_container, blob)
    wanted = _Wanted(blob, file.etag, file.size, source, mapping, started_by)
    await _forget(wanted.ingest_id)
    await _note(wanted)
    return IngestRef(ingest_id=wanted.ingest_id)


async def anything_new() -> bool:
    """Whether a file lies in the inbox of which no ingest is known."""
    async with aclosing(_new_files()) as found:
        async for _ in found:
            return True
    return False


async def accept_new() -> None:
    """Note all that is new in the inbox. `inbox/arxiv/2026.jsonl` holds records of the source arxiv."""
    async for file in _new_files():
        source = file.name.removeprefix(files.INBOX).partition("/")[0]
        await _note(_Wanted(file.name, files.plain_etag(file.etag), file.size, source, None, BY_INBOX))


async def unfinished() -> list[IngestRef]:
    """Ingests that have not ended, for whoever can tell whether anything works on them."""
    async with database() as connection:
        found = await rows(
            connection,
            "select ingest_id from papers.ingests where state in ('waiting', 'reading', 'merging')"
            " order by started_at limit 1000",
        )
    return [IngestRef.model_validate(row) for row in found]


@dataclass(frozen=True, slots=True)
class _Wanted:
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


async def _note(wanted: _Wanted) -> None:
    mapping = wanted.mapping.model_dump_json() if wanted.mapping else None
    async with database() as connection:
        await connection.execute(
            "insert into papers.ingests (ingest_id, blob, etag, size, source, mapping, started_by)"
            " values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            (wanted.ingest_id, wanted.blob, wanted.etag, wanted.size, wanted.source, mapping, wanted.started_by),
        )


def _new_files() -> AsyncGenerator[ListedBlob]:
    async def read(at: str | None) -> tuple[list[ListedBlob], str | None]:
        page = await list_blobs(settings().papers_container, limit=_PAGE, prefix=files.INBOX, continuation=at)
        return await _unknown(page.blobs), page.continuation

    return each(read)


async def _forget(ingest_id: UUID) -> None:
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
