"""Deployments on a real document database and a real blob store; the queue is a list."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from urllib.parse import urlsplit

import azure.functions as func
import pytest

from local.cosmos.testing import CosmosProcess, running
from shared.deploys import queue
from shared.deploys.models import ArchiveSource, Deployment
from shared.deploys.sources import store_archive
from shared.platform.errors import TransientError
from shared.platform.settings import forget_settings
from shared.platform.stores.cosmos import close_cosmos
from triggers.deploys import deployments, projects

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
    told = SimpleNamespace(messages=[], after=[], down=False)

    async def send(name, body, *, message_id=None, after=None) -> None:
        if told.down:
            raise TransientError("the queue does not answer")
        told.messages.append((name, json.loads(body), message_id))
        told.after.append(after.total_seconds() if after else 0)

    monkeypatch.setattr(queue, "send", send)
    return told


@pytest.fixture
def new(state: str):
    """Makes a state document: `new(project_id="shop", status=...)`."""

    def make(**changes) -> Deployment:
        number = next(_numbers)
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        now = datetime.now(UTC)
        return Deployment(
            **{
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
async def source(state: str, storage) -> str:
    """The hash of an archive that was uploaded for the project `shop`."""
    return await store_archive(state, "shop", b"PK\x03\x04 an archive")


@pytest.fixture
def ask(state: str, sent: SimpleNamespace):
    """Asks the routes: `status, body, headers = await ask("POST", "/deploy", {...})`, as the operator unless told."""

    async def send(method, url, body=None, headers=None):
        path = urlsplit(url).path.split("/")
        for operation in sorted(
            (*deployments.routes.operations, *projects.routes.operations), key=lambda one: one.name
        ):
            parts = operation.route.split("/")
            fits = len(parts) == len(path) and all(a == b or a[:1] == "{" for a, b in zip(parts, path, strict=True))
            if operation.method == method and fits:
                break
        else:
            pytest.fail(f"no route answers {method} {url}")
        values = {part[1:-1]: given for part, given in zip(parts, path, strict=True) if part.startswith("{")}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = func.HttpRequest(
            method,
            f"http://localhost{url}",
            headers={"content-type": "application/json", **(ADMIN if headers is None else headers)},
            route_params=values,
            body=raw,
        )
        # Nobody answers the durable client: a route must do without.
        nobody = SimpleNamespace(_orchestration_bindings=SimpleNamespace(rpc_base_url="http://127.0.0.1:9/"))
        answer = await operation.answer(request, nobody)
        return answer.status_code, json.loads(answer.get_body()), dict(answer.headers)

    return send
