"""A second host beside the stack's own, for acts that show what two do together."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from local.demo.client import App
from local.processes import free_port
from local.up import ROOT, Stack
from local.up.services import Service, module
from local.up.supervised import Supervised


@asynccontextmanager
async def second_host(stack: Stack) -> AsyncGenerator[tuple[Supervised, App]]:
    """A second host with a task hub of its own, on the same database, which is started again when it is killed."""
    port, data = free_port(), stack.options.folder / "host-2"
    await asyncio.to_thread(shutil.rmtree, data, ignore_errors=True)  # what an earlier demo's host had not ended
    command = module("local.host", ".", "--port", port, "--data", data)
    service = Service("second host", command, f"http://127.0.0.1:{port}", stop_seconds=20)
    host = Supervised(service, stack.logs / "host-2.log", stack.settings, ROOT, lambda _: None)
    host.log.touch()
    await host.start()
    headers = {"X-Admin-Key": stack.settings["ADMIN_API_KEY"]}
    try:
        async with httpx.AsyncClient(base_url=service.address, headers=headers, timeout=60) as http:
            yield host, App(http)
    finally:
        await host.stop()
