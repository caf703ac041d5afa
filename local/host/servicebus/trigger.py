"""Service Bus queues: triggers that lock a message while its function runs, and outputs. Loaded when an app has one."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from azure.functions import meta
from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient, ServiceBusReceiver, ServiceBusSender
from azure.servicebus.exceptions import ServiceBusError

from local.host.core.functions import Binding, Function
from local.host.core.logs import host_log
from local.host.core.tasks import start_task
from local.host.durable.model.ports import HostStopping
from local.host.settings.connections import Clients, Connection, credential
from local.host.settings.expressions import json_parameters, resolve_parameters
from local.host.settings.host_json import HostJson
from local.host.worker.dispatch import Call, Dispatcher
from local.host.worker.messages import body_datum, metadata_data, output_messages
from local.host.worker.worker import RunFailed

_SECTION = "extensions.serviceBus"
_CALLS_PER_CORE = 16
_WAIT_SECONDS = 0.5
_RECONNECT_SECONDS = 2.0


@dataclass(frozen=True)
class _Options:
    prefetch: int
    max_concurrent_calls: int
    auto_complete: bool
    renewal_seconds: float
    max_batch: int

    @classmethod
    def parse(cls, host_json: HostJson, cores: int) -> "_Options":
        def name(key: str) -> str:
            return f"{_SECTION}.{key}"

        return cls(
            host_json.number(name("prefetchCount"), 0, minimum=0),
            host_json.number(name("maxConcurrentCalls"), _CALLS_PER_CORE * cores, minimum=1),
            host_json.flag(name("autoCompleteMessages"), default=True),
            host_json.seconds(name("maxAutoLockRenewalDuration"), 300.0),
            host_json.number(name("maxMessageBatchSize"), 1000, minimum=1),
        )


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


class ServiceBusTrigger:
    """Listens to one queue for one function."""

    def __init__(self, bus: ServiceBus, dispatcher: Dispatcher, function: Function, host_json: HostJson) -> None:
        self.function = function
        self._bus = bus
        self._dispatcher = dispatcher
        self._options = _Options.parse(host_json, os.cpu_count() or 1)
        own = function.trigger.text("autoCompleteMessages", str(self._options.auto_complete))
        self._auto_complete = own.lower() == "true"
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        bus.client(function.trigger.text("connection"))

    def start(self) -> None:
        """Begin to receive."""
        self._task = start_task(self._listen(), f"service bus {self.function.name}")

    def stop(self) -> None:
        """Receive no more; what was received and not begun goes back to the queue."""
        self._stopping = True

    async def ended(self) -> None:
        """Return when every message that was begun is settled."""
        if self._task is not None:
            await self._task

    async def _listen(self) -> None:
        queue = self.function.trigger.text("queueName")
        told = False
        while not self._stopping:
            try:
                async with self._receiver(queue) as (receiver, renewer):
                    told = False
                    await self._receive(receiver, renewer)
            except (ServiceBusError, OSError) as error:
                (host_log.debug if told else host_log.error)(
                    "Function '%s' cannot listen to the Service Bus queue '%s': %s. It tries again every %g s.",
                    self.function.name,
                    queue,
                    error,
                    _RECONNECT_SECONDS,
                )
                told = True
                await asyncio.sleep(_RECONNECT_SECONDS)

    @asynccontextmanager
    async def _receiver(self, queue: str) -> AsyncGenerator[tuple[ServiceBusReceiver, AutoLockRenewer]]:
        client = self._bus.client(self.function.trigger.text("connection"))
        prefetch = self._options.prefetch
        async with client.get_queue_receiver(queue, prefetch_count=prefetch) as receiver, AutoLockRenewer() as renewer:
            try:
                yield receiver, renewer
            finally:
                if self._running:
                    await asyncio.wait(self._running)

    async def _receive(self, receiver: ServiceBusReceiver, renewer: AutoLockRenewer) -> None:
        many = self.function.trigger.text("cardinality").lower() == "many"
        while not self._stopping:
            free = 1 if many else self._options.max_concurrent_calls - len(self._running)
            if free <= 0 or (many and self._running):
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                continue
            received = await receiver.receive_messages(
                self._options.max_batch if many else free, max_wait_time=_WAIT_SECONDS
            )
            if self._stopping:
                for message in received:
                    await receiver.abandon_message(message)
            elif many and received:
                self._begin(self._run(receiver, received, self._batch_call(received)))
            else:
                for message in received:
                    if self._options.renewal_seconds > 0:
                        renewer.register(receiver, message, max_lock_renewal_duration=self._options.renewal_seconds)
                    self._begin(self._run(receiver, [message], self._call(message)))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, receiver: ServiceBusReceiver, messages: list[ServiceBusReceivedMessage], call: Call) -> None:
        settle: Callable[[ServiceBusReceivedMessage], Coroutine[Any, Any, None]] | None = receiver.abandon_message
        try:
            await self._dispatcher.run(self.function, call)
            settle = receiver.complete_message if self._auto_complete else None
        except (RunFailed, HostStopping):
            pass
        finally:
            if settle is not None:
                for message in messages:
                    await self._settle(settle, message)

    async def _settle(
        self,
        settle: Callable[[ServiceBusReceivedMessage], Coroutine[Any, Any, None]],
        message: ServiceBusReceivedMessage,
    ) -> None:
        try:
            await settle(message)
        except (ServiceBusError, ValueError) as error:
            host_log.error(
                "The message %s of function '%s' could not be settled and will be delivered again: %s",
                message.message_id,
                self.function.name,
                error,
            )

    def _call(self, message: ServiceBusReceivedMessage) -> Call:
        metadata = message_metadata(message)
        value = body_datum(self.function, self.function.trigger, message_body(message))
        parameters = json_parameters(value.value) if isinstance(value.value, str) else {}
        return Call("(null)", value, metadata_data(metadata), {**metadata, **parameters})

    def _batch_call(self, messages: list[ServiceBusReceivedMessage]) -> Call:
        bodies = [body_datum(self.function, self.function.trigger, message_body(one)) for one in messages]
        rows = [message_metadata(one) for one in messages]
        arrays = {f"{name}Array": [row[name] for row in rows] for name in rows[0]}
        kind = "bytes" if bodies[0].type == "bytes" else "string"
        values = SimpleNamespace(**{kind: [one.value for one in bodies]})
        return Call("(null)", meta.Datum(values, f"collection_{kind}"), metadata_data(arrays))


def manual_call(function: Function, text: str, reason: str) -> Call:
    """What a run by hand is given: a message with this body and no properties."""
    metadata: dict[str, Any] = {"DeliveryCount": 1, "MessageId": "", "ApplicationProperties": {}, "UserProperties": {}}
    if function.trigger.text("cardinality").lower() == "many":
        arrays = {f"{name}Array": [one] for name, one in metadata.items()}
        return Call(reason, meta.Datum(SimpleNamespace(string=[text]), "collection_string"), metadata_data(arrays))
    value = body_datum(function, function.trigger, text.encode())
    return Call(reason, value, metadata_data(metadata), json_parameters(text))


def message_body(message: ServiceBusReceivedMessage) -> bytes:
    """The bytes of a message; a body of another AMQP kind as its text."""
    body: Any = message.body
    if isinstance(body, (bytes, str)):
        return body.encode() if isinstance(body, str) else body
    try:
        return b"".join(cast("list[bytes]", list(body)))
    except TypeError:
        return json.dumps(body, default=str).encode()


def message_metadata(message: ServiceBusReceivedMessage) -> dict[str, Any]:
    """The trigger metadata of one message, under the names that the extension uses."""
    properties = {_text(key): _text(value) for key, value in (message.application_properties or {}).items()}
    return {
        "DeliveryCount": (message.delivery_count or 0) + 1,
        "DeadLetterSource": message.dead_letter_source,
        "LockToken": str(message.lock_token) if message.lock_token else None,
        "ExpiresAtUtc": _time(message.expires_at_utc),
        "EnqueuedTimeUtc": _time(message.enqueued_time_utc),
        "MessageId": message.message_id,
        "ContentType": message.content_type,
        "ReplyTo": message.reply_to,
        "SequenceNumber": message.sequence_number,
        "To": message.to,
        "Subject": message.subject,
        "Label": message.subject,
        "CorrelationId": message.correlation_id,
        "ApplicationProperties": properties,
        "UserProperties": properties,
        "SessionId": message.session_id,
        "ReplyToSessionId": message.reply_to_session_id,
        "PartitionKey": message.partition_key,
        "TransactionPartitionKey": None,
    }


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return _time(value) if isinstance(value, datetime) else value


def _time(value: datetime | None) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if value is not None else None
