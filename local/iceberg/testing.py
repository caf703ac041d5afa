"""The catalog in a thread of its own: pyiceberg blocks, and would keep a server in the test's loop from answering."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

from pyiceberg.catalog import Catalog

from local.host.web.embedded import EmbeddedServer, listen
from local.iceberg.app import create_app
from local.iceberg.faults import Faults
from local.processes import LOOPBACK


@contextmanager
def serving(catalog: Catalog, faults: Faults) -> Generator[str]:
    """The address of a REST catalog in front of this one, until the block ends."""
    listening = listen(LOOPBACK, 0)
    loop, ended = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with EmbeddedServer(create_app(catalog, faults), listening):
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="iceberg-catalog")
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
