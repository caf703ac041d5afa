"""Sockets and uvicorn servers that live in a loop which is not theirs."""

import asyncio
import contextlib
import errno
import random
import socket
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp

from local.host.settings.local_settings import ConfigurationError

RPC_PORT = 17071
_LAST_PORT = 65535
_RPC_FALLBACK = (30000, 31000)


class EmbeddedServer:
    """One uvicorn server on a socket of ours; signals are the caller's business."""

    def __init__(self, app: ASGIApp, bound: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._socket = bound
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._socket.getsockname()[1]

    async def start(self) -> None:
        """Return when the server takes requests."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started and not self._task.done():  # noqa: ASYNC110 - uvicorn offers no event for it
            await asyncio.sleep(0.002)
        if self._task.done():
            await self._task

    async def stop(self) -> None:
        """Take no more requests and close what is open."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def bind(address: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigurationError with the remedy when the port is taken or forbidden."""
    if not 0 <= port <= _LAST_PORT:
        raise ConfigurationError(f"The port must be a number from 0 (for any) to {_LAST_PORT}, not {port}. See --port.")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's delay off for the connections that it accepts.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
        bound.listen(1024)
    except OSError as error:
        bound.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise ConfigurationError(
                f"Port {port} is unavailable. Close the process using that port, "
                "or specify another port using --port [-p]."
            ) from error
        raise ConfigurationError(f"Cannot listen on {address}:{port}: {error.strerror}. See --address.") from error
    return bound


def bind_rpc() -> socket.socket:
    """The socket of the durable extension's own door: 17071, else one of ten tries between 30000 and 31000."""
    candidates = [RPC_PORT, *random.sample(range(*_RPC_FALLBACK), 10)]
    for port in candidates[:-1]:
        with contextlib.suppress(ConfigurationError):
            return bind("127.0.0.1", port)
    return bind("127.0.0.1", candidates[-1])
