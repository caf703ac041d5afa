"""The stand-in as a server: the AMQP port, and the administration API's port if it is wanted."""

import asyncio
import contextlib
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Generator

import uvicorn

from local.servicebus.atom import administration
from local.servicebus.broker import Broker
from local.servicebus.connection import Connection
from local.servicebus.dispatch import Dispatcher


class _AdministrationServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to the program that this server is a part of."""
        yield


@contextlib.asynccontextmanager
async def serve(
    broker: Broker, host: str, port: int, *, admin_port: int | None = None, key: str | None = None
) -> AsyncGenerator[tuple[int, int | None]]:
    """Serve while the context is open; the AMQP port and the administration port (0 asks for free ones).

    Raises:
        OSError: a port is in use.
    """
    dispatcher = Dispatcher(broker)
    connections: set[Connection] = set()
    none_left = asyncio.Event()

    async def on_client(reader: StreamReader, writer: StreamWriter) -> None:
        connection = Connection(reader, writer, dispatcher, key)
        connections.add(connection)
        none_left.clear()
        try:
            await connection.run()
        finally:
            connections.discard(connection)
            if not connections:
                none_left.set()

    async with contextlib.AsyncExitStack() as stack:
        server = await asyncio.start_server(on_client, host, port)
        stack.callback(server.close)
        time_task = asyncio.create_task(dispatcher.run())
        stack.callback(time_task.cancel)
        admin = None
        if admin_port is not None:
            admin = await stack.enter_async_context(_administration(broker, host, admin_port))
        try:
            yield server.sockets[0].getsockname()[1], admin
        finally:
            server.close()
            for connection in connections:
                connection.close()
            if connections:
                await none_left.wait()


@contextlib.asynccontextmanager
async def _administration(broker: Broker, host: str, port: int) -> AsyncGenerator[int]:
    config = uvicorn.Config(administration(broker), log_level="warning", lifespan="off")
    listener = socket.create_server((host, port))
    server = _AdministrationServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
