"""The stand-in as a server: the AMQP port, and the administration API's port if it is wanted."""

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator

from local.host.web.embedded import EmbeddedServer, listen
from local.servicebus.administration.atom import administration
from local.servicebus.amqp.connection import Connection
from local.servicebus.queues.broker import Broker
from local.servicebus.queues.dispatch import Dispatcher


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
            embedded = EmbeddedServer(administration(broker), listen(host, admin_port))
            admin = (await stack.enter_async_context(embedded)).port
        try:
            yield server.sockets[0].getsockname()[1], admin
        finally:
            server.close()
            for connection in connections:
                connection.close()
            if connections:
                await none_left.wait()
