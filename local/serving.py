"""Serve an ASGI app as a local service: a ready line, a clear line when the port is busy, a clean stop."""

import asyncio
import signal
import socket
import sys

from starlette.types import ASGIApp

from local.host.web.embedded import EmbeddedServer, listen, loop_factory
from local.processes import LOOPBACK


def serve(app: ASGIApp, port: int, ready: str, flag: str = "--port", *, largest_message: int | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; print the line `ready` when the port is open. Return the exit code.

    `flag` is the one that sets the port, named when the port is busy; `largest_message` in bytes lets WebSockets in.
    """
    try:
        listening = listen(LOOPBACK, port)
    except OSError:
        print(f"Port {port} is in use. Stop what uses it or pass {flag}.", file=sys.stderr)  # noqa: T201 - see above
        return 1
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_serve(app, listening, ready, largest_message))


async def _serve(app: ASGIApp, listening: socket.socket, ready: str, largest_message: int | None) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with EmbeddedServer(app, listening, lifespan=True, largest_message=largest_message):
        print(ready, flush=True)  # noqa: T201 - the contract of every local service
        await stop.wait()
    return 0
