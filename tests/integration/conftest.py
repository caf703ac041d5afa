"""The app's own view of real services: its settings, and a database that is migrated."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from local.processes import free_port
from local.smtp.app import create_app
from local.smtp.sink import Sink
from shared.platform.stores.blobs import close_blobs
from shared.platform.stores.postgres import close_pools
from tests.fresh_settings import forget_settings


@pytest.fixture
async def migrated(migrated_dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[str]:
    """The DSN of a fresh, migrated database, which is also what POSTGRES_DSN says."""
    monkeypatch.setenv("POSTGRES_DSN", migrated_dsn)
    forget_settings()
    yield migrated_dsn
    await close_pools()
    forget_settings()


@pytest.fixture
async def storage(storage_connection: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    """Blob Storage, as STORAGE_CONNECTION says."""
    monkeypatch.setenv("STORAGE_CONNECTION", storage_connection)
    monkeypatch.setenv("POSTGRES_DSN", os.environ.get("POSTGRES_DSN", "host=unused"))
    forget_settings()
    yield
    await close_blobs()
    forget_settings()


@pytest.fixture
async def mails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Sink]:
    """The mail relay that SMTP_HOST and SMTP_PORT name."""
    sink, port = Sink(tmp_path), free_port()
    monkeypatch.setenv("SMTP_PORT", str(port))
    monkeypatch.setenv("POSTGRES_DSN", os.environ.get("POSTGRES_DSN", "host=unused"))
    forget_settings()
    relay = create_app(sink, port)
    async with relay.router.lifespan_context(relay):
        yield sink
    forget_settings()
