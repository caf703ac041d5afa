"""The stand-in for tests: served by the test's own event loop, so that a test may reach into its cloud."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import uvicorn

from local.arm.app import TOKEN, application
from local.arm.cloud import ENVIRONMENT, GROUP, IDENTITY, LOCATION, REGISTRY, SUBSCRIPTION, Cloud
from local.processes import free_port
from local.serving import config

SETTINGS = {
    "CONTAINER_PLATFORM": "azure",
    "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    "AZURE_RESOURCE_GROUP": GROUP,
    "AZURE_LOCATION": LOCATION,
    "AZURE_CONTAINER_REGISTRY": REGISTRY,
    "CONTAINER_APPS_ENVIRONMENT_ID": ENVIRONMENT,
    "CONTAINER_APPS_IDENTITY_ID": IDENTITY,
}
"""What the app is told of the stand-in's cloud."""


async def token() -> str:
    """What the stand-in lets in."""
    return TOKEN


@asynccontextmanager
async def served(cloud: Cloud) -> AsyncGenerator[str]:
    """The address of the stand-in, served within."""
    port = free_port()
    started = asyncio.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    server = Server(config(application(cloud), port))
    work = asyncio.create_task(server.serve())
    await started.wait()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await work


class ToStandIn(httpx.AsyncBaseTransport):
    """Leads https addresses of deployed apps to the stand-in, which tells them apart by their host name."""

    def __init__(self, endpoint: str) -> None:
        self._there = httpx.URL(endpoint)
        self._plain = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host=self._there.host, port=self._there.port)
        return await self._plain.handle_async_request(request)

    async def aclose(self) -> None:
        await self._plain.aclose()
