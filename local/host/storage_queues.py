"""Storage queues: triggers with poison queues, and outputs. Loaded when an app has one."""

import asyncio
import base64
import binascii
import contextlib
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.functions import meta
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.connections import credential, find_connection
from local.host.dispatch import Call, Dispatcher, FunctionTimedOut
from local.host.durable.ports import HostStopping
from local.host.expressions import json_parameters, resolve_parameters
from local.host.functions import Binding, Function
from local.host.logs import host_log
from local.host.messages import body_datum, metadata_data, output_messages
from local.host.settings import ConfigurationError, HostJson
from local.host.worker import FunctionRaised

_SECTION = "extensions.queues"
_LEASE_SECONDS = 600
_RENEW_SECONDS = 300
_SHORTEST_POLL = 0.1
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
            max_polling_interval=max(interval, _SHORTEST_POLL),
            base64=encoding == "base64",
        )


class StorageQueues:
    """Clients, one for each connection, shared by triggers and outputs."""

    def __init__(self, environment: Mapping[str, str], options: QueueOptions) -> None:
        self.options = options
        self._environment = environment
        self._services: dict[str, QueueServiceClient] = {}

    def queue(self, connection: str, name: str) -> QueueClient:
        """A queue. Raises ConfigurationError when the connection has no settings or cannot be read."""
        return self._service(connection).get_queue_client(name.lower())

    async def write(self, function: Function, binding: Binding, value: meta.Datum, call: Call) -> None:
        """Put the output's messages into the queue, which is made when it does not exist."""
        name = resolve_parameters(binding.text("queueName"), call.data, function=function.name, now=call.now)
        queue = self.queue(binding.text("connection"), name)
        for body in output_messages(function, binding, value):
            await put(queue, self.encode(body))

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

    async def close(self) -> None:
        """Close every client."""
        for service in self._services.values():
            await service.close()

    def _service(self, connection: str) -> QueueServiceClient:
        if connection not in self._services:
            found = find_connection(connection, self._environment)
            try:
                self._services[connection] = (
                    QueueServiceClient.from_connection_string(found.connection_string)
                    if found.connection_string is not None
                    else QueueServiceClient(found.need("queueServiceUri", "serviceUri"), credential(found))
                )
            except ValueError as error:
                raise ConfigurationError(
                    f"The setting '{found.name}' is no storage connection string: {error}"
                ) from error
        return self._services[connection]


class QueueTrigger:
    """Polls one queue for one function."""

    def __init__(self, queues: StorageQueues, dispatcher: Dispatcher, function: Function) -> None:
        self.function = function
        self._queues = queues
        self._options = queues.options
        self._dispatcher = dispatcher
        self._name = function.trigger.text("queueName").lower()
        self._queue = queues.queue(function.trigger.text("connection"), self._name)
        self._running: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to poll."""
        self._task = asyncio.create_task(self._poll(), name=f"queue {self.function.name}")

    def stop(self) -> None:
        """Take no more messages."""
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Return when every message taken is deleted, hidden again or in the poison queue."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        if self._running:
            await asyncio.wait(self._running)

    async def _poll(self) -> None:
        pause, told = _SHORTEST_POLL, False
        while True:
            while len(self._running) > self._options.new_batch_threshold:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            try:
                # Cancelling the request itself could lose messages that the service has already handed out.
                found = await asyncio.shield(asyncio.create_task(self._take()))
                told = False
            except ResourceNotFoundError:
                found = 0
            except AzureError as error:
                (host_log.debug if told else host_log.error)(
                    "Function '%s' cannot read the queue '%s': %s", self.function.name, self._name, _first_line(error)
                )
                found, told = 0, True
            if found:
                pause = _SHORTEST_POLL
            else:
                await asyncio.sleep(pause)
                pause = min(pause * random.uniform(1.5, 2.5), self._options.max_polling_interval)  # noqa: S311 - no secret

    async def _take(self) -> int:
        size = self._options.batch_size
        page = self._queue.receive_messages(
            messages_per_page=size, max_messages=size, visibility_timeout=_LEASE_SECONDS
        )
        messages = [message async for message in page]
        for message in messages:
            task = asyncio.create_task(self._run(message))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(messages)

    async def _run(self, message: QueueMessage) -> None:
        renewal = asyncio.create_task(self._renew(message))
        try:
            try:
                body = self._queues.decode(str(message.content))
            except ValueError as error:
                host_log.error(
                    "A message in the queue '%s' is not Base64: it goes to the poison queue. Encode it, or set "
                    "extensions.queues.messageEncoding to none in host.json. %s",
                    self._name,
                    error,
                )
                await self._poison(message)
                return
            succeeded = await self._succeeds(self._call(message, body))
        except HostStopping:
            await self._release(message, 0)
            return
        finally:
            renewal.cancel()
        try:
            if succeeded:
                await self._queue.delete_message(message)
            elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
                await self._poison(message)
            else:
                await self._release(message, self._options.visibility_timeout)
        except AzureError as error:
            host_log.error("A message of the queue '%s' could not be settled: %s", self._name, _first_line(error))

    async def _succeeds(self, call: Call) -> bool:
        try:
            await self._dispatcher.run(self.function, call)
        except (FunctionRaised, FunctionTimedOut):
            return False
        return True

    async def _renew(self, message: QueueMessage) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            renewed = await self._queue.update_message(message, visibility_timeout=_LEASE_SECONDS)
            message.pop_receipt = renewed.pop_receipt

    async def _release(self, message: QueueMessage, seconds: float) -> None:
        await self._queue.update_message(message, visibility_timeout=int(seconds))

    async def _poison(self, message: QueueMessage) -> None:
        if self._name.endswith("-poison"):
            return
        poison = f"{self._name}-poison"
        host_log.warning(
            "Message has reached MaxDequeueCount of %d. Moving message to queue '%s'.",
            self._options.max_dequeue_count,
            poison,
        )
        await put(self._queues.queue(self.function.trigger.text("connection"), poison), str(message.content))
        await self._queue.delete_message(message)

    def _call(self, message: QueueMessage, body: bytes) -> Call:
        return queue_call(
            self.function, body, message_metadata(message), f"New queue message detected on '{self._name}'."
        )


def queue_call(function: Function, body: bytes, metadata: dict[str, Any], reason: str) -> Call:
    """What a queue function is given: its message, whose metadata a JSON body of the app's overrides, as in Azure."""
    value = body_datum(function, function.trigger, body)
    text = body.decode(errors="replace")
    parameters = json_parameters(text)
    hidden = [name for name in metadata if name.lower() in {key.lower() for key in parameters}]
    if hidden:
        host_log.warning(
            "Function '%s': the message's JSON has the key(s) %s, which as in Azure replace the metadata of that name: "
            "msg.id and its like then hold the app's own values. Nest the data under another key.",
            function.name,
            ", ".join(hidden),
        )
    merged = {name: value for name, value in metadata.items() if name not in hidden}
    merged |= {
        next((one for one in hidden if one.lower() == key.lower()), key): value for key, value in parameters.items()
    }
    merged["QueueTrigger"] = text
    return Call(reason, value, metadata_data(merged), {**merged, "queueTrigger": text})


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


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def options(host_json: HostJson) -> QueueOptions:
    """The options for this machine."""
    return QueueOptions.parse(host_json, os.cpu_count() or 1)
