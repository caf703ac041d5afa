"""Deployments on a real document database and a real blob store; the queue is a list."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace

import pytest

from local.cosmos.testing import CosmosProcess, running
from shared.deploys.models import ArchiveSource, Deployment
from shared.deploys.requests import queue
from shared.deploys.running import logs
from shared.platform.errors import TransientError
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_cosmos

_numbers = count(1)
ADMIN = {"X-Admin-Key": "operator"}


@pytest.fixture(scope="package")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Generator[CosmosProcess]:
    with running(tmp_path_factory.mktemp("cosmos")) as process:
        yield process


@pytest.fixture
async def state(cosmos: CosmosProcess, monkeypatch, tmp_path) -> AsyncGenerator[str]:
    """The state of deployments; the name of an organization of the test's own."""
    monkeypatch.setenv("COSMOS_CONNECTION", cosmos.connection_string)
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    monkeypatch.setenv("MANIFOLD_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("ADMIN_API_KEY", ADMIN["X-Admin-Key"])
    forget_settings()
    yield f"org-{next(_numbers)}"
    await close_cosmos()
    forget_settings()


@pytest.fixture
def sent(monkeypatch) -> SimpleNamespace:
    """What was sent to the queue, and `after` how many seconds; set `down` and it takes nothing."""
    queued = SimpleNamespace(messages=[], after=[], down=False)

    async def send(name, body, *, message_id=None, after=None) -> None:
        if queued.down:
            raise TransientError("the queue does not answer")
        queued.messages.append((name, json.loads(body), message_id))
        queued.after.append(after.total_seconds() if after else 0)

    monkeypatch.setattr(queue, "send", send)
    return queued


@pytest.fixture
def new(state: str):
    """Makes a state document: `new(project_id="shop", status=...)`."""

    def make(**changes) -> Deployment:
        number = next(_numbers)
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        now = datetime.now(UTC)
        return Deployment.model_validate(
            {
                "id": f"dep_{''.join(letters[(number >> shift) % 32] for shift in range(0, 60, 5))}",
                "project_id": "shop",
                "user_id": "u",
                "organization_id": state,
                "project_name": "Shop",
                "source": ArchiveSource(hash="0" * 64),
                "created_at": now,
                "updated_at": now,
                **changes,
            }
        )

    return make


@pytest.fixture
def appends(monkeypatch):
    """Fails the appends to logs whose numbers are in `failing`, counted from 1."""
    known = SimpleNamespace(number=0, failing=set())
    append = logs._append

    async def counted(name, data, size):
        known.number += 1
        if known.number in known.failing:
            raise TransientError("Blob Storage is away", code="storage-unavailable")
        return await append(name, data, size)

    monkeypatch.setattr(logs, "_append", counted)
    return known
