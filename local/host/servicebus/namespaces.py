"""The Service Bus namespaces of an app, and what its outputs send there. Loaded when an app has one."""

import asyncio
from collections.abc import Mapping

from azure.functions import meta
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

from local.host.core.functions import Binding, Function
from local.host.settings.connections import Clients, Connection, credential
from local.host.settings.expressions import resolve_parameters
from local.host.worker.calls import Call
from local.host.worker.messages import output_messages


class ServiceBus(Clients[ServiceBusClient]):
    """The namespaces of an app's triggers and outputs."""

    service = "Service Bus"

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(environment)
        self._senders: dict[tuple[str, str], ServiceBusSender] = {}
        self._sending = asyncio.Lock()

    def connect(self, connection: Connection) -> ServiceBusClient:
        """A new client. Raises ValueError when the connection string cannot be read."""
        if connection.connection_string is not None:
            return ServiceBusClient.from_connection_string(connection.connection_string)
        return ServiceBusClient(connection.need("fullyQualifiedNamespace"), credential(connection))

    async def write(self, function: Function, binding: Binding, value: meta.Datum, call: Call) -> None:
        """Send the output's messages. A str goes as text/plain."""
        queue = resolve_parameters(binding.text("queueName"), call.data, function=function.name, now=call.now)
        for body in output_messages(function, binding, value):
            message = ServiceBusMessage(body, content_type="text/plain" if isinstance(body, str) else None)
            async with self._sending:
                await self._sender(binding.text("connection"), queue).send_messages(message)

    async def close(self) -> None:
        """Close every sender and client."""
        await asyncio.gather(*(sender.close() for sender in self._senders.values()))
        self._senders.clear()
        await super().close()

    def _sender(self, connection: str, queue: str) -> ServiceBusSender:
        key = (connection, queue)
        if key not in self._senders:
            self._senders[key] = self.client(connection).get_queue_sender(queue)
        return self._senders[key]
