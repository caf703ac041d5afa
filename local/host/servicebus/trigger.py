"""Service Bus queue triggers: a message stays locked while its function runs. Loaded when an app has one."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import AutoLockRenewer, ServiceBusReceiver
from azure.servicebus.exceptions import ServiceBusError

from local.host.core.errors import HostStopping
from local.host.core.functions import Function
from local.host.core.logs import host_log
from local.host.core.tasks import start_task
from local.host.servicebus.messages import batch_call, message_call
from local.host.servicebus.namespaces import ServiceBus
from local.host.settings.host_json import HostJson
from local.host.worker.calls import Call
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import RunFailed

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
        logged = False
        while not self._stopping:
            try:
                async with self._receiver(queue) as (receiver, renewer):
                    logged = False
                    await self._receive(receiver, renewer)
            except (ServiceBusError, OSError) as error:
                (host_log.debug if logged else host_log.error)(
                    "Function '%s' cannot listen to the Service Bus queue '%s': %s. It tries again every %g s.",
                    self.function.name,
                    queue,
                    error,
                    _RECONNECT_SECONDS,
                )
                logged = True
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
                self._begin(self._run(receiver, received, batch_call(self.function, received)))
            else:
                for message in received:
                    if self._options.renewal_seconds > 0:
                        renewer.register(receiver, message, max_lock_renewal_duration=self._options.renewal_seconds)
                    self._begin(self._run(receiver, [message], message_call(self.function, message)))

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
