"""Routes and a sweep that take files of papers in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from orchestrators.papers.ingesting import paper_ingest
from shared.papers.ingesting import inbox, ingests
from shared.papers.ingesting.files import INBOX
from shared.papers.models import BlobName, Ingest, IngestRef, Reject, SourceName
from shared.papers.settings import settings
from shared.papers.sources import SOURCES
from shared.papers.sources.table import ColumnMapping
from shared.platform.access.auth import Caller
from shared.platform.cursors import OPENED
from shared.platform.durable import DurableClient
from shared.platform.http import Accepted, Page, Pagination, Routes
from shared.platform.models import LazyModel
from shared.platform.stores.signed_urls import UPLOAD_HEADERS, create_url
from shared.platform.sweeps import Sweep
from triggers.papers.callers import INGEST

routes = Routes(tag="papers")
UPLOAD_LIFETIME = timedelta(hours=4)
"""Long enough for a file of 5 GB over a slow line."""


class IngestRequest(LazyModel):
    """Which file to take in, and whose records it holds."""

    model_config = ConfigDict(extra="forbid")
    blob: BlobName = Field(description="name of the file in the papers' container, such as inbox/arxiv/2026.jsonl")
    source: SourceName = Field(description=f"one of {', '.join(SOURCES)}, or a name of your own with `mapping`")
    mapping: ColumnMapping | None = Field(default=None, description="which column holds what, for a source of your own")


class UploadRequest(LazyModel):
    """A file that is to be put into the inbox."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$", description="of the file, such as 2026.jsonl.gz")
    source: SourceName = Field(description="whose records it holds")


class Upload(LazyModel):
    """An address that takes one file, and nothing else."""

    blob: str = Field(description="name of the file in the papers' container")
    url: str = Field(description="send the file here with PUT")
    headers: dict[str, str] = Field(description="to be sent along")
    expires_at: datetime


class IngestsQuery(LazyModel):
    """Which ingests to list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most ingests of one page")
    cursor: Annotated[UUID, OPENED] | None = Field(default=None, description="`pagination.next` of the page before")


class RejectsQuery(LazyModel):
    """Which rejected records to list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=100, description="Most records of one page")
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,9}-[0-9]{1,15}$"), OPENED] | None = Field(
        default=None, description="`pagination.next` of the page before"
    )


class IngestStarted(Accepted):
    """An ingest that goes on by itself; `location` shows how far it is."""

    ingest_id: UUID


@routes.post("/api/papers/uploads", needs=INGEST, summary="An address to upload a file to")
async def papers_create_upload(body: UploadRequest) -> Upload:
    """A file of that name that is there stays as it is. What is uploaded is taken in by itself."""
    blob = f"{INBOX}{body.source}/{body.name}"
    signed = await create_url(settings().papers_container, blob, UPLOAD_LIFETIME)
    return Upload(blob=blob, url=signed.url, headers=dict(UPLOAD_HEADERS), expires_at=signed.expires_at)


@routes.post("/api/papers/ingest", needs=INGEST, summary="Take a file of papers in")
async def papers_start_ingest(body: IngestRequest, caller: Caller, client: DurableClient) -> IngestStarted:
    """A version of a file that was taken in before changes nothing; one that failed is tried again."""
    return await start(client, await inbox.accept(body.blob, body.source, body.mapping, caller.name))


@routes.get("/api/papers/ingests", needs=INGEST, summary="The ingests, newest first")
async def papers_list_ingests(query: IngestsQuery) -> Page[Ingest]:
    newest = await ingests.newest(query.limit + 1, query.cursor)
    page = newest[: query.limit]
    following = str(page[-1].ingest_id) if len(newest) > query.limit else None
    return Page(data=page, pagination=Pagination(limit=query.limit, next=following))


@routes.get("/api/papers/ingests/{ingest_id}", needs=INGEST, summary="One ingest")
async def papers_read_ingest(ingest_id: UUID) -> Ingest:
    return await ingests.find(ingest_id)


@routes.get("/api/papers/ingests/{ingest_id}/rejects", needs=INGEST, summary="What could not be taken in, and why")
async def papers_list_rejects(ingest_id: UUID, query: RejectsQuery) -> Page[Reject]:
    """The same stands in the papers' container, in one file: `rejects/{ingest_id}.jsonl`."""
    await ingests.find(ingest_id)
    part, line = map(int, query.cursor.split("-")) if query.cursor else (-1, -1)
    page, place = await ingests.rejects(ingest_id, query.limit, (part, line))
    following = f"{place[0]}-{place[1]}" if place else None
    return Page(data=page, pagination=Pagination(limit=query.limit, next=following))


@routes.post("/api/papers/ingests/{ingest_id}/release", needs=INGEST, summary="Let a held file in as it is")
async def papers_release_ingest(ingest_id: UUID, client: DurableClient) -> IngestStarted:
    await ingests.release(ingest_id)
    return await start(client, IngestRef(ingest_id=ingest_id))


@routes.post("/api/papers/ingests/{ingest_id}/discard", needs=INGEST, summary="Give a held file up")
async def papers_discard_ingest(ingest_id: UUID) -> Ingest:
    await ingests.discard(ingest_id)
    return await ingests.find(ingest_id)


async def _due(_: DurableClient) -> bool:
    return await inbox.anything_to_do()


async def _run(client: DurableClient) -> None:
    """Take in what lies in the inbox, and go on with what nobody works on."""
    await inbox.accept_new()
    for ingest in await inbox.unfinished():
        await start(client, ingest)


sweep = Sweep("papers-inbox", due=_due, run=_run)


async def start(client: DurableClient, ingest: IngestRef) -> IngestStarted:
    """Start the ingest, or let it run where it does."""
    instance = f"papers-ingest-{ingest.ingest_id}"
    await client.start_if_idle(paper_ingest, ingest, instance_id=instance)
    return IngestStarted(id=instance, location=f"/api/papers/ingests/{ingest.ingest_id}", ingest_id=ingest.ingest_id)
