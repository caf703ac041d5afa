"""Storage queues: triggers with poison queues, and outputs. Loaded when an app has one."""

import asyncio
import base64
import binascii
import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.functions import meta
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.core.errors import ConfigurationError
from local.host.core.functions import Binding, Function
from local.host.settings.connections import Clients, Connection, credential
from local.host.settings.expressions import resolve_parameters
from local.host.settings.host_json import HostJson
from local.host.storage.outages import RETRIES
from local.host.worker.calls import HOST_API_REASON, Call
from local.host.worker.messages import body_datum, metadata_data, output_messages, with_json_of

_SECTION = "extensions.queues"
SHORTEST_POLL = 0.1
# Azure waits up to a minute to save transactions, which cost nothing here.
_LONGEST_POLL = 2.0
_FOREVER = -1


@dataclass(frozen=True)
class QueueOptions:
    """host.json's extensions.queues; times in seconds."""

    batch_size: int
    new_batch_threshold: int
    max_dequeue_count: int
    visibility_timeout: float
    max_polling_interval: float
    base64: bool

    @classmethod
    def parse(cls, host_json: HostJson, cores: int) -> "QueueOptions":
        """Read the section. Raises ConfigurationError."""

        def name(key: str) -> str:
            return f"{_SECTION}.{key}"

        batch = host_json.number(name("batchSize"), 16, minimum=1, maximum=32)
        encoding = str(host_json.value(name("messageEncoding")) or "base64").lower()
        if encoding not in {"base64", "none"}:
            raise ConfigurationError(f"host.json: {name('messageEncoding')} must be base64 or none, not {encoding!r}.")
        polling = host_json.value(name("maxPollingInterval"))
        # A number is milliseconds in this place, a text a TimeSpan.
        interval = (
            polling / 1000
            if isinstance(polling, (int, float))
            else host_json.seconds(name("maxPollingInterval"), _LONGEST_POLL)
        )
        return cls(
            batch_size=batch,
            new_batch_threshold=host_json.number(name("newBatchThreshold"), max(batch // 2 * cores, 1), minimum=0),
            max_dequeue_count=host_json.number(name("maxDequeueCount"), 5, minimum=1),
            visibility_timeout=host_json.seconds(name("visibilityTimeout"), 0.0),
            max_polling_interval=max(interval, SHORTEST_POLL),
            base64=encoding == "base64",
        )


class StorageQueues(Clients[QueueServiceClient]):
    """The queue services of an app's triggers and outputs."""

    service = "storage"

    def __init__(self, environment: Mapping[str, str], options: QueueOptions) -> None:
        super().__init__(environment)
        self.options = options
        self._listening: dict[str, set[asyncio.Event]] = {}

    def connect(self, connection: Connection) -> QueueServiceClient:
        """A new client. Raises ValueError when the connection string cannot be read."""
        if connection.connection_string is not None:
            return QueueServiceClient.from_connection_string(connection.connection_string, **RETRIES)
        address = connection.need("queueServiceUri", "serviceUri")
        return QueueServiceClient(address, credential(connection), **RETRIES)

    def queue(self, connection: str, name: str) -> QueueClient:
        """A queue. Raises ConfigurationError when the connection has no settings or cannot be read."""
        return self.client(connection).get_queue_client(name.lower())

    async def write(self, function: Function, binding: Binding, value: meta.Datum, call: Call) -> None:
        """Put the output's messages into the queue, which is made when it does not exist."""
        name = resolve_parameters(binding.text("queueName"), call.data, function=function.name, now=call.now)
        queue = self.queue(binding.text("connection"), name)
        for body in output_messages(function, binding, value):
            await put(queue, self.encode(body))
        for listener in self._listening.get(queue.url, ()):
            listener.set()

    def listen(self, queue: QueueClient) -> asyncio.Event:
        """An event that is set whenever a function of this host has put something into the queue."""
        event = asyncio.Event()
        self._listening.setdefault(queue.url, set()).add(event)
        return event

    def encode(self, body: bytes | str) -> str:
        """A body as it lies in the queue."""
        data = body.encode() if isinstance(body, str) else body
        return base64.b64encode(data).decode() if self.options.base64 else data.decode(errors="replace")

    def decode(self, content: str) -> bytes:
        """The body of a message. Raises ValueError when it is not the Base64 that host.json says."""
        if not self.options.base64:
            return content.encode()
        try:
            return base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise ValueError(str(error)) from error


def queue_call(function: Function, body: bytes, metadata: dict[str, Any], reason: str) -> Call:
    """What a queue function is given: its message, whose metadata a JSON body of the app's overrides, as in Azure."""
    text = body.decode(errors="replace")
    metadata = {**metadata, "QueueTrigger": text}
    # A run by hand has no message whose metadata would be missed.
    merged = with_json_of(text, metadata, function, warns=reason != HOST_API_REASON)
    return Call(reason, body_datum(function, function.trigger, body), metadata_data(merged), merged)


def message_metadata(message: QueueMessage) -> dict[str, Any]:
    """The trigger metadata of a message, under the names that the extension uses."""
    return {
        "Id": message.id,
        "DequeueCount": message.dequeue_count,
        "ExpirationTime": _time(message.expires_on),
        "InsertionTime": _time(message.inserted_on),
        "NextVisibleTime": _time(message.next_visible_on),
        "PopReceipt": message.pop_receipt,
    }


def manual_metadata(now: datetime) -> dict[str, Any]:
    """The metadata of a message that a run by hand makes up."""
    return {
        "Id": "",
        "DequeueCount": 1,
        "ExpirationTime": _time(now + timedelta(days=7)),
        "InsertionTime": _time(now),
        "NextVisibleTime": _time(now),
        "PopReceipt": "",
    }


async def put(queue: QueueClient, content: str) -> None:
    """Send a message that never expires; the queue is made when it does not exist."""
    try:
        await queue.send_message(content, time_to_live=_FOREVER)
    except ResourceNotFoundError:
        with contextlib.suppress(ResourceExistsError):  # another output was faster
            await queue.create_queue()
        await queue.send_message(content, time_to_live=_FOREVER)


def _time(value: datetime | None) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%S+00:00") if value is not None else None


def options(host_json: HostJson) -> QueueOptions:
    """The options for this machine."""
    return QueueOptions.parse(host_json, os.cpu_count() or 1)
