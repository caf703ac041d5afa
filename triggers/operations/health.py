"""Is the app alive, and can it work? For probes, dashboards and people; tells no internals, so it needs no key."""

from __future__ import annotations

from typing import Literal

import azure.functions as func

from shared.platform.access.auth import PUBLIC
from shared.platform.durable import DurableClient
from shared.platform.errors import ManifoldError
from shared.platform.health import Check, Dependency, Examiner
from shared.platform.http import Reply, Routes
from shared.platform.models import LazyModel
from shared.platform.settings import read_settings
from shared.platform.workload import workloads

routes = Routes(tag="health")
_examiner = Examiner()


class Alive(LazyModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Readiness(LazyModel):
    """Whether the app can take work now, and what keeps it from it."""

    status: Literal["ready", "not-ready"]
    down: list[str]


class Details(LazyModel):
    """Whether the app can take work now, with every dependency."""

    status: Literal["ready", "not-ready"]
    dependencies: list[Dependency]


@routes.get("/health/live", needs=PUBLIC, summary="Does the process answer?")
async def health_live() -> Alive:
    return Alive()


@routes.get("/health", needs=PUBLIC, summary="Can the app take work?", also={503: Readiness})
async def health(client: DurableClient) -> Reply[Readiness]:
    return _readiness(await _examine(client))


@routes.head("/health", needs=PUBLIC, summary="As GET, without its body", hidden=True)
async def health_head(client: DurableClient) -> func.HttpResponse:
    """For load balancers that ask so, as the predecessor's did."""
    return func.HttpResponse(status_code=_readiness(await _examine(client)).status)


@routes.get("/health/ready", needs=PUBLIC, summary="Can the app take work?", also={503: Readiness})
async def health_ready(client: DurableClient) -> Reply[Readiness]:
    return _readiness(await _examine(client))


@routes.get("/health/detailed", needs=PUBLIC, summary="Every dependency with its latency", also={503: Details})
async def health_detailed(client: DurableClient) -> Reply[Details]:
    found = await _examine(client)
    ready = all(dependency.status == "up" for dependency in found)
    details = Details(status="ready" if ready else "not-ready", dependencies=found)
    return Reply(details, status=200 if ready else 503)


async def _examine(client: DurableClient) -> list[Dependency]:
    return await _examiner.examine([*_checks(), Check("durable", lambda: client.page(top=1))])


def _checks() -> list[Check]:
    """What the workloads need as the app is set up. Without usable settings, that is not known."""
    settings = Check("settings", _read_settings)
    try:
        needed = [probe for workload in workloads() for probe in workload.probes if probe.needed()]
    except ManifoldError:
        return [settings]
    return [settings, *needed]


async def _read_settings() -> None:
    for workload in workloads():
        if workload.settings:
            read_settings(workload.settings)


def _readiness(found: list[Dependency]) -> Reply[Readiness]:
    down = [dependency.name for dependency in found if dependency.status == "down"]
    return Reply(Readiness(status="not-ready" if down else "ready", down=down), status=503 if down else 200)
