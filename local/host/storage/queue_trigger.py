"""Storage-queue triggers: poll, hold each message while its function runs, delete, hide again or poison it."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from local.host.core.errors import HostStopping
from local.host.core.functions import Function
from local.host.core.logs import host_log
from local.host.core.tasks import start_task
from local.host.storage.leases import Leases
from local.host.storage.outages import problem
from local.host.storage.queues import SHORTEST_POLL, StorageQueues, message_metadata, put, queue_call
from local.host.worker.calls import Call
from local.host.worker.dispatch import Dispatcher
from local.host.worker.failures import RunFailed

_LEASE_SECONDS = 600
_RENEW_SECONDS = 300


class QueueTrigger:
    """Polls one queue for one function."""

    def __init__(self, queues: StorageQueues, dispatcher: Dispatcher, function: Function, data: Path) -> None:
        self.function = function
        self._queues = queues
        self._options = queues.options
        self._dispatcher = dispatcher
        self._name = function.trigger.text("queueName").lower()
        self._queue = queues.queue(function.trigger.text("connection"), self._name)
        self._filled = queues.listen(self._queue)
        self._leases = Leases(data / "queues" / self._name)
        self._running: set[asyncio.Task[None]] = set()
        self._taking: asyncio.Task[int] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to poll."""
        self._task = start_task(self._poll(), f"queue {self.function.name}")

    def stop(self) -> None:
        """Take no more messages; what a request under way brings goes back to the queue."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Return when every message taken is deleted, hidden again or in the poison queue."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        if self._taking is not None:
            await asyncio.gather(self._taking, return_exceptions=True)
        if self._running:
            await asyncio.wait(self._running)

    async def _poll(self) -> None:
        pause, logged = SHORTEST_POLL, False
        await self._resume()
        while True:
            while len(self._running) > self._options.new_batch_threshold:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            try:
                # Cancelling the request itself could lose messages that the service has already handed out.
                self._taking = asyncio.create_task(self._take())
                found = await asyncio.shield(self._taking)
                logged = False
            except ResourceNotFoundError:
                found = 0
            except AzureError as error:
                (host_log.debug if logged else host_log.error)(
                    "Function '%s' cannot read the queue '%s': %s", self.function.name, self._name, problem(error)
                )
                found, logged = 0, True
            if found or await self._is_filled(pause):
                pause = SHORTEST_POLL
            else:
                pause = min(pause * random.uniform(1.5, 2.5), self._options.max_polling_interval)  # noqa: S311 - no secret

    async def _is_filled(self, seconds: float) -> bool:
        """Whether a function of this host fills the queue within so many seconds: as in Azure it is read at once."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        filled = self._filled.is_set()
        self._filled.clear()
        return filled

    async def _take(self) -> int:
        size = self._options.batch_size
        page = self._queue.receive_messages(
            messages_per_page=size, max_messages=size, visibility_timeout=_LEASE_SECONDS
        )
        messages = [message async for message in page]
        for message in messages:
            if self._stopping:
                await self._release(message, 0)
                continue
            self._leases.add(message)
            task = asyncio.create_task(self._run(message))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(messages)

    async def _resume(self) -> None:
        """Show the messages again that a killed host held: else they would stay hidden for ten minutes."""
        for message_id, pop_receipt in self._leases.left():
            with contextlib.suppress(AzureError):  # processed before the end, or visible already
                await self._queue.update_message(message_id, pop_receipt, visibility_timeout=0)
                host_log.info("A message of the queue '%s' that the last host held is visible again.", self._name)
            self._leases.drop(message_id)

    async def _run(self, message: QueueMessage) -> None:
        renewal = asyncio.create_task(self._renew(message))
        try:
            settle = await self._process(message)
        finally:
            renewal.cancel()
        try:
            await settle
        except AzureError as error:
            host_log.error("A message of the queue '%s' could not be settled: %s", self._name, problem(error))
        self._leases.drop(str(message.id))

    async def _process(self, message: QueueMessage) -> Awaitable[Any]:
        """Run the function; what then is to be done with the message."""
        try:
            body = self._queues.decode(str(message.content))
        except ValueError as error:
            host_log.error(
                "A message in the queue '%s' is not Base64: it goes to the poison queue. Encode it, or set "
                "extensions.queues.messageEncoding to none in host.json. %s",
                self._name,
                error,
            )
            return self._poison(message)
        try:
            await self._dispatcher.run(self.function, self._call(message, body))
        except HostStopping:
            return self._release(message, 0)
        except RunFailed:
            if (message.dequeue_count or 0) >= self._options.max_dequeue_count:
                return self._poison(message)
            return self._release(message, self._options.visibility_timeout)
        return self._queue.delete_message(message)

    async def _renew(self, message: QueueMessage) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            renewed = await self._queue.update_message(message, visibility_timeout=_LEASE_SECONDS)
            message.pop_receipt = renewed.pop_receipt
            self._leases.add(message)

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
