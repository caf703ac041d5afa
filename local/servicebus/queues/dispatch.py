"""Who gets the next message: the receivers of a queue that have asked for one, in turn."""

import asyncio
from collections import defaultdict, deque
from typing import Protocol

from local.servicebus.queues.broker import Broker
from local.servicebus.queues.queue import Queue
from local.servicebus.queues.rows import Delivery
from local.servicebus.queues.settings import DEAD_LETTERS


class Consumer(Protocol):
    """A receiver of a queue."""

    @property
    def ready(self) -> bool:
        """Whether it wants one more message now."""
        ...

    @property
    def deletes(self) -> bool:
        """Whether it takes messages out instead of locking them."""
        ...

    def deliver(self, delivery: Delivery) -> None: ...


class Dispatcher:
    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._consumers: defaultdict[str, deque[Consumer]] = defaultdict(deque)
        self._changed = asyncio.Event()

    def add(self, queue: Queue, consumer: Consumer) -> None:
        self._consumers[queue.name].append(consumer)

    def remove(self, queue: Queue, consumer: Consumer) -> None:
        if consumer in self._consumers[queue.name]:
            self._consumers[queue.name].remove(consumer)

    def wake(self, queue: Queue) -> None:
        """To be called after anything that may have made a message of the queue, or of its dead letters, available."""
        self._pump(queue)
        dead_letters = self.broker.find(queue.name + DEAD_LETTERS)
        if dead_letters is not None:
            self._pump(dead_letters)
        self._changed.set()

    def _pump(self, queue: Queue) -> None:
        consumers = self._consumers[queue.name]
        while (consumer := next((one for one in consumers if one.ready), None)) is not None:
            delivery = queue.receive(delete=consumer.deletes)
            if delivery is None:
                return
            consumers.remove(consumer)
            consumers.append(consumer)
            consumer.deliver(delivery)

    async def run(self) -> None:
        """Let time do its work: hand out what expired locks and due schedules make available. Runs until cancelled."""
        while True:
            self._changed.clear()
            at = self.broker.next_change()
            try:
                async with asyncio.timeout(None if at is None else max(0, at - self.broker.clock()) / 1000):
                    await self._changed.wait()
            except TimeoutError:
                self.broker.advance()
                for name in list(self._consumers):
                    queue = self.broker.find(name)
                    if queue is not None:
                        self._pump(queue)
