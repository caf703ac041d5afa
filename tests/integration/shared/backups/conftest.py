"""A database with rows in it, a container of Azurite and a scratch database that nobody else uses."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_manifest, write_manifest
from shared.backups.blobs.names import TIME
from shared.backups.contents import chunks
from shared.backups.models import Manifest, TakeAndVerify
from shared.backups.settings import settings
from shared.platform.stores.blobs import blob_service
from shared.platform.stores.postgres import connection_to, database, rows
from tests.fresh_settings import forget_settings
from tests.integration.player import Player

PAPERS = 3_000
CHAIN = "20261101T000000Z"
NOON = datetime(2026, 11, 30, 12, 5, tzinfo=UTC)


async def fetch(query, *parameters):
    """The rows of a query by column name."""
    async with database() as connection:
        return await rows(connection, query, parameters)


async def execute(*statements):
    """Run statements and commit them."""
    async with database() as connection:
        for statement in statements:
            await connection.execute(statement)


@pytest.fixture
async def filled(migrated, storage, monkeypatch):
    """Papers with vectors and their index, in a table that no migration made. The name of the scratch database."""
    scratch = f"scratch_{uuid4().hex[:8]}"
    monkeypatch.setenv("BACKUPS_CONTAINER", f"backups-{uuid4().hex[:8]}")
    monkeypatch.setenv("BACKUPS_SCRATCH_DATABASE", scratch)
    monkeypatch.setenv("POSTGRES_DSN", migrated)
    forget_settings()
    await execute(
        "insert into papers.papers (source, source_id, title, abstract, content_hash) select 'arxiv', 'id-' || n,"
        f" 'Title ' || n, repeat('An abstract. ', n % 50), sha256(n::text::bytea) from generate_series(1, {PAPERS}) n",
        "insert into papers.models (name, version, dimensions, state) values ('hashing', '1', 8, 'current')",
        "select papers.make_vectors(model_id) from papers.models",
        "insert into papers.vectors_1 select paper_id, array[1,2,3,4,5,6,7,8]::real[]::halfvec(8), false"
        f" from papers.papers limit {PAPERS // 2}",
        "select papers.index_vectors(1::smallint, '64MB')",
    )
    yield scratch
    with psycopg.connect(conninfo.make_conninfo(migrated, dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(scratch)))


@pytest.fixture
def empty(migrated):
    """The name of an empty database on the same server."""
    name = f"restored_{uuid4().hex[:8]}"
    with psycopg.connect(conninfo.make_conninfo(migrated, dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield name
        admin.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


@pytest.fixture
async def backup(filled):
    """A backup of the filled database."""
    await take(1)
    return await read_manifest()


async def of(name, query):
    """The rows of a query in another database of the server."""
    async with connection_to(name) as connection:
        return await rows(connection, query)


def restore(migrated, name, *arguments):
    """The command that operators type."""
    environment = {**os.environ, "POSTGRES_DSN": conninfo.make_conninfo(migrated, dbname=name)}
    command = [sys.executable, "-m", "shared.backups", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def small_chunks(monkeypatch):
    """A table of a test has several chunks."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 32 * 8192)


async def take(number, *, verify=False):
    """The outcome of a backup by its orchestration."""
    task = TakeAndVerify(id=f"20261101T00{number:02}00Z", chain=CHAIN, verify=verify)
    return await Player().play(back_up, task)


async def chunk_blobs():
    container = blob_service().get_container_client(settings().backups_container)
    return {blob.name: blob.size async for blob in container.list_blobs(name_starts_with="chunks/")}


def table(manifest, name):
    [found] = [one for one in manifest.tables if one.full_name == name]
    return found


async def kept(taken, chain):
    """A backup of an empty database that was taken then."""
    manifest = Manifest(
        id=taken.strftime(TIME),
        chain=chain,
        taken_at=taken,
        database="d",
        server_version="PostgreSQL",
        migrations=[],
        tables=[],
        sequences=[],
    )
    await write_manifest(manifest)
    return manifest.id
