"""The Service Bus namespaces of an app, and what its outputs send there. Loaded when an app has one."""

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import certifi
from azure.functions import meta
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

from local.host.core.functions import Binding, Function
from local.host.core.logs import current_invocation, warn_once
from local.host.settings.connections import Clients, Connection, credential
from local.host.settings.expressions import resolve_parameters
from local.host.worker.calls import Call
from local.host.worker.messages import output_messages


@lru_cache(maxsize=1)
def _authorities() -> ssl.SSLContext:
    """The authorities we trust, read once: without it the SDK reads them for each of its links, in 20 ms of CPU."""
    return ssl.create_default_context(cafile=certifi.where())


_PARENT = "$AzureWebJobsParentId"


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
            return ServiceBusClient.from_connection_string(connection.connection_string, ssl_context=_authorities())
        namespace = connection.need("fullyQualifiedNamespace")
        return ServiceBusClient(namespace, credential(connection), ssl_context=_authorities())

    async def write(self, function: Function, binding: Binding, value: meta.Datum, call: Call) -> None:
        """Send the output's messages as text/plain, each with the id of the run that sent it."""
        queue = resolve_parameters(binding.text("queueName"), call.data, function=function.name, now=call.now)
        run = current_invocation.get()
        properties: dict[str | bytes, Any] = {_PARENT: run.invocation_id} if run is not None else {}
        for body in output_messages(function, binding, value):
            text = body if isinstance(body, str) else _text_of_bytes(function, binding)
            message = ServiceBusMessage(text, content_type="text/plain", application_properties=properties)
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


def _text_of_bytes(function: Function, binding: Binding) -> str:
    """What the extension, which only sends text, makes of bytes."""
    warn_once(
        "Function '%s' set the output '%s' to bytes: as in Azure the body is the text System.Byte[], whatever they "
        "are. Set a str, such as Base64, or send them with azure-servicebus.",
        function.name,
        binding.name,
    )
    return "System.Byte[]"
