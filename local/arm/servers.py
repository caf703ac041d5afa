"""The stand-in served: one port for the resource manager, its identity and vault, one for the way to deployed apps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from local.arm.app import application
from local.arm.cloud import (
    APP_CLIENT_ID,
    CLIENT_ID,
    ENVIRONMENT,
    GROUP,
    IDENTITY,
    LOCATION,
    REGISTRY,
    SUBSCRIPTION,
    Cloud,
)
from local.arm.container_apps import proxy
from local.host.web.embedded import EmbeddedServer, listen
from local.processes import LOOPBACK

SETTINGS = {
    "CONTAINER_PLATFORM": "azure",
    "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    "AZURE_RESOURCE_GROUP": GROUP,
    "AZURE_LOCATION": LOCATION,
    "AZURE_CONTAINER_REGISTRY": REGISTRY,
    "CONTAINER_APPS_ENVIRONMENT_ID": ENVIRONMENT,
    "CONTAINER_APPS_IDENTITY_ID": IDENTITY,
}
"""The settings by which the app finds the stand-in's cloud, wherever that is served."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where the stand-in is served, and the environment of an app that takes it for Azure."""

    endpoint: str
    environment: dict[str, str]


@asynccontextmanager
async def serving(cloud: Cloud, folder: Path, port: int = 0) -> AsyncGenerator[Served]:
    """Serve a cloud; the certificates of its apps are written into the folder. A port of 0 is a free one."""
    authority, certificate = await asyncio.to_thread(proxy.certify, folder)
    app = application(cloud)
    async with listening(app, port) as manager, listening(app, certificate=certificate) as apps:
        endpoint = f"http://{LOOPBACK}:{manager}"
        async with await proxy.start(apps) as way:
            environment = {
                **SETTINGS,
                "AZURE_MANAGEMENT_ENDPOINT": endpoint,
                "AZURE_CLIENT_ID": APP_CLIENT_ID,
                "AZURE_DEPLOYER_CLIENT_ID": CLIENT_ID,
                "IDENTITY_ENDPOINT": f"{endpoint}/_identity/token",
                "IDENTITY_HEADER": cloud.signature,
                "KEY_VAULT_URI": f"{endpoint}/_vault/",
                "HTTPS_PROXY": f"http://{LOOPBACK}:{way.sockets[0].getsockname()[1]}",
                "SSL_CERT_FILE": str(authority),
            }
            yield Served(endpoint, environment)


@asynccontextmanager
async def listening(app: ASGIApp, port: int = 0, *, certificate: Path | None = None) -> AsyncGenerator[int]:
    """Serve an ASGI app in this event loop; the port."""
    async with EmbeddedServer(app, listen(LOOPBACK, port), certificate=certificate) as server:
        yield server.port
