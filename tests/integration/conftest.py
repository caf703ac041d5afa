"""The app's own view of real services: its settings, and a database that is migrated."""

import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from local.postgres.testing import Databases
from local.processes import free_port
from local.smtp.app import create_app
from local.smtp.sink import Sink
from shared.platform.blobs import close_blobs
from shared.platform.postgres import close_pools
from shared.platform.settings import settings


def _migrate(dsn: str) -> None:
    environment = {**os.environ, "POSTGRES_DSN": dsn}
    subprocess.run([sys.executable, "-m", "shared.platform.migrate"], env=environment, check=True, capture_output=True)


@pytest.fixture
async def migrated(postgres: Databases, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[str]:
    """The DSN of a fresh, migrated database, which is also what POSTGRES_DSN says."""
    with postgres.database(postgres.template("migrated", _migrate)) as dsn:
        monkeypatch.setenv("POSTGRES_DSN", dsn)
        settings.cache_clear()
        yield dsn
        await close_pools()
    settings.cache_clear()


@pytest.fixture
async def storage(storage_connection: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    """Blob Storage, as STORAGE_CONNECTION says."""
    monkeypatch.setenv("STORAGE_CONNECTION", storage_connection)
    monkeypatch.setenv("POSTGRES_DSN", os.environ.get("POSTGRES_DSN", "host=unused"))
    settings.cache_clear()
    yield
    await close_blobs()
    settings.cache_clear()


@pytest.fixture
async def mails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Sink]:
    """The mail relay that SMTP_HOST and SMTP_PORT name."""
    sink, port = Sink(tmp_path), free_port()
    monkeypatch.setenv("SMTP_PORT", str(port))
    monkeypatch.setenv("POSTGRES_DSN", os.environ.get("POSTGRES_DSN", "host=unused"))
    settings.cache_clear()
    relay = create_app(sink, port)
    async with relay.router.lifespan_context(relay):
        yield sink
    settings.cache_clear()
