"""Routes and the queue of deployments, called in this process, on a real document database and a real blob store."""

from __future__ import annotations

import json
from types import SimpleNamespace
from urllib.parse import urlsplit
from uuid import uuid4

import azure.functions as func
import pytest

from shared.deploys.documents import store
from shared.deploys.models import DeploymentStatus
from shared.deploys.running.slots import Slots
from shared.deploys.sources import store_archive
from shared.platform.durable import DurableClient, task_hub
from shared.platform.durable.hub import HubName
from shared.platform.errors import Conflict, NotFound, TransientError
from tests.integration.shared.deploys.conftest import ADMIN, cosmos, new, sent, state
from triggers.deploys import deployments, queue, removals, upkeep, variables
from triggers.deploys import projects as project_routes

__all__ = ["cosmos", "new", "sent", "state"]


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
            (
                *deployments.routes.operations,
                *project_routes.routes.operations,
                *removals.routes.operations,
                *variables.routes.operations,
            ),
            key=lambda one: one.name,
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


@pytest.fixture
def body(state: str, source: str) -> dict:
    return {
        "projectId": "shop",
        "userId": "user_1",
        "organizationId": state,
        "projectName": "Shop",
        "sourceHash": source,
    }


async def change(deployment: dict, status: DeploymentStatus) -> None:
    found = await store.load(deployment["deploymentId"], None)
    await store.change(
        found.id,
        found.organization_id,
        lambda one, now: one.model_copy(update={"status": status, "completed_at": now if status.ended else None}),
    )


@pytest.fixture
def apps(monkeypatch):
    """What the platform says of apps: `health`, or an error to raise; and the domains that were released."""
    known = SimpleNamespace(health=None, released=[])

    class Platform:
        async def health(self, spec):
            if isinstance(known.health, Exception):
                raise known.health
            return known.health

        async def release_domain(self, spec, domain):
            known.released.append((spec.project_id, spec.environment, domain))

    monkeypatch.setattr(deployments, "platform", Platform)
    monkeypatch.setattr(project_routes, "platform", Platform)
    return known


@pytest.fixture
def durable(monkeypatch) -> SimpleNamespace:  # noqa: C901 - the methods of the class count as branches
    """A durable client that notes what it is asked."""
    scripted = SimpleNamespace(started=[], events=[], running=None, busy=False, away=False, slots=Slots(), hub=uuid4())

    class Client:
        def __init__(self, _) -> None:
            pass

        async def start(self, orchestration, task, *, instance_id):
            if scripted.away:
                raise TransientError("the engine does not answer")
            if scripted.busy:
                raise Conflict("it is running", code="already-running")
            scripted.started.append((orchestration.name, instance_id, task))

        start_if_idle = DurableClient.start_if_idle

        async def raise_event(self, instance_id, event, _) -> None:
            if scripted.away:
                raise TransientError("the engine does not answer")
            if scripted.busy:
                raise NotFound("it is gone")
            scripted.events.append((instance_id, event))

        async def find(self, _):
            return scripted.running

        async def runs(self, _) -> bool:
            return scripted.running is not None and not scripted.running.state.finished

        async def entity_state(self, handle, _):
            return HubName(name=scripted.hub) if handle is task_hub else scripted.slots

    monkeypatch.setattr(queue, "DurableClient", Client)
    monkeypatch.setattr(upkeep, "DurableClient", Client)
    monkeypatch.setattr(queue, "READ_SECONDS", 0.01)
    return scripted
