"""Papers on a migrated database, and files in a container of Azurite of their own."""

import json
from uuid import uuid4

import pytest

from activities.papers import ingesting
from orchestrators.papers.ingesting import paper_ingest
from shared.papers.ingesting import inbox, ingests
from shared.platform.errors import TerminalError
from shared.platform.stores.blobs import blob_service
from shared.platform.stores.postgres import database, rows
from tests.fresh_settings import forget_settings
from tests.integration.player import Player


async def fetch(query, *parameters):
    """The rows of a query by column name."""
    async with database() as connection:
        return await rows(connection, query, parameters)


class Papers:
    """The papers' files and what is made of them."""

    def __init__(self, container):
        self.container = container

    async def put(self, name, data):
        """Upload a file: bytes, or records that become JSON lines."""
        if isinstance(data, list):
            data = "".join(json.dumps(record) + "\n" for record in data).encode()
        await blob_service().get_blob_client(self.container, name).upload_blob(data, overwrite=True)
        return name

    async def read(self, name):
        stream = await blob_service().get_blob_client(self.container, name).download_blob()
        return await stream.readall()

    async def names(self):
        return [blob.name async for blob in blob_service().get_container_client(self.container).list_blobs()]

    async def start(self, name, source="arxiv", mapping=None):
        return await inbox.accept(name, source, mapping, "test")

    async def ingest(self, name, source="arxiv", mapping=None):
        """Take the file in, by the orchestration; the ingest's row in the end."""
        start = await self.start(name, source, mapping)
        try:
            await Player().play(paper_ingest, start)
        except TerminalError as error:
            self.error = error
        return await ingests.find(start.ingest_id)

    async def titles(self):
        return {row["source_id"]: row["title"] for row in await fetch("select source_id, title from papers.papers")}


@pytest.fixture
async def papers(migrated, storage, monkeypatch):
    """Ingests that leave the embedding to the test, as they do where a worker is at it."""
    container = f"papers-{uuid4().hex[:12]}"
    monkeypatch.setenv("PAPERS_CONTAINER", container)
    monkeypatch.setenv("POSTGRES_DSN", migrated)
    forget_settings()

    async def somebody_embeds():
        return False

    monkeypatch.setattr(ingesting, "nobody_embeds", somebody_embeds)
    await blob_service().create_container(container)
    yield Papers(container)
    forget_settings()


def record(number, **fields):
    """A record of the snapshot."""
    return {
        "id": f"2101.{number:05}",
        "title": f"Paper {number}",
        "abstract": f"What paper {number} says.",
        "authors_parsed": [["Müller", "A.", ""]],
        "categories": "cs.LG",
        "update_date": "2021-01-02",
        "versions": [{"version": "v1", "created": "Fri, 1 Jan 2021 00:00:00 GMT"}],
        **fields,
    }
