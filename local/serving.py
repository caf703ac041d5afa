"""Serve an ASGI app as a local service: a ready line, a clear line when the port is busy, a clean stop."""

import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from local.processes import LOOPBACK, port_in_use


class Server(uvicorn.Server):
    """Says when it accepts connections, and ends the process normally when it is told to stop."""

    def __init__(self, config: uvicorn.Config, ready: str = "") -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._ready:
            print(self._ready, flush=True)  # noqa: T201 - the contract of every local service

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # uvicorn's own version raises the signal again after the stop, and the exit code would then tell of a failure.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield


def config(app: ASGIApp, port: int) -> uvicorn.Config:
    """Return settings for serving on loopback: quiet, and done with open connections one second after a stop."""
    return uvicorn.Config(
        app, host=LOOPBACK, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=1
    )


def serve(app: ASGIApp, port: int, ready: str, flag: str = "--port") -> int:
    """Serve until SIGTERM or Ctrl-C; print the line `ready` when the port is open. Return the exit code.

    `flag` is the one that sets the port, named when the port is busy.
    """
    if port_in_use(port):
        print(f"Port {port} is in use. Stop what uses it or pass {flag}.", file=sys.stderr)  # noqa: T201 - see above
        return 1
    Server(config(app, port), ready).run()
    return 0
