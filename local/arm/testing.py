"""The stand-in for tests: a test may reach into its cloud while it is served."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from local.arm.app import application
from local.arm.cloud import Cloud
from local.arm.servers import SETTINGS, Served, listening, serving
from local.processes import LOOPBACK

__all__ = ["SETTINGS", "ToStandIn", "on_a_thread", "served", "token_for"]


def token_for(cloud: Cloud, endpoint: str) -> Callable[[], Awaitable[str]]:
    """Gives what the stand-in at this address lets in."""

    async def token() -> str:
        return cloud.token(endpoint)

    return token


@asynccontextmanager
async def served(cloud: Cloud) -> AsyncGenerator[str]:
    """The address of the stand-in, served by the test's own event loop."""
    async with listening(application(cloud)) as port:
        yield f"http://{LOOPBACK}:{port}"


@contextmanager
def on_a_thread(cloud: Cloud, folder: Path) -> Generator[Served]:
    """The stand-in with all that an app needs to take it for Azure, for a test that blocks while the app asks it."""
    ready: Future[Served] = Future()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with serving(cloud, folder) as known:
            ready.set_result(known)
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            ready.set_exception(error)
            raise
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="local.arm", daemon=True)
    thread.start()
    try:
        yield ready.result(timeout=30)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=30)


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
