from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
    ServiceBusSender,
)

from local.servicebus.testing import ServiceBusProcess, running

QUEUES = [
    "plain,lock=PT30S",
    "properties",
    "batches",
    "attempts,max-delivery=3",
    "letters",
    "listed",
    "short-lock,lock=PT1S",
    "renewed,lock=PT1S",
    "deferred",
    "peeked",
    "scheduled",
    "scheduled-by-property",
    "unique,duplicate-detection=PT2S",
    "resent,duplicate-detection=PT10M,max-delivery=3",
    "expiring",
    "expiring-kept,dead-letter-expired",
    "default-life,ttl=PT0.2S,dead-letter-expired",
    "at-most-once",
    "sized",
    "competing",
    "prefetched",
    "counted,lock=PT2M,duplicate-detection=PT20S,dead-letter-expired,max-delivery=4",
]


class Mailbox:
    """One queue, with what most tests do to it.

    Closing a sender or receiver of the SDK takes a second, so they stay open until all tests are done.
    """

    def __init__(
        self, client: ServiceBusClient, queue: str, opened: list[ServiceBusSender | ServiceBusReceiver]
    ) -> None:
        self._client = client
        self._queue = queue
        self._opened = opened
        self._takers: dict[str, ServiceBusReceiver] = {}
        self.sender = client.get_queue_sender(queue)
        opened.append(self.sender)

    def send(self, *messages: str | ServiceBusMessage) -> None:
        for message in messages:
            self.sender.send_messages(ServiceBusMessage(message) if isinstance(message, str) else message)

    def receiver(self, **options) -> ServiceBusReceiver:
        """A new receiver, opened here, since opening takes half a second that would count as waiting for messages."""
        receiver = self._client.get_queue_receiver(self._queue, **options)
        self._opened.append(receiver)
        return receiver.__enter__()

    def take(self, count: int = 1, seconds: float = 0.5, **options) -> list[ServiceBusReceivedMessage]:
        """Receive and complete up to `count` messages."""
        key = str(options)
        if key not in self._takers:
            self._takers[key] = self.receiver(**options)
        receiver = self._takers[key]
        messages = receiver.receive_messages(count, seconds)
        for message in messages:
            receiver.complete_message(message)
        return messages


@pytest.fixture(scope="package")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Generator[ServiceBusProcess]:
    with running(tmp_path_factory.mktemp("servicebus"), QUEUES) as process:
        yield process


@pytest.fixture(scope="package")
def client(bus: ServiceBusProcess) -> ServiceBusClient:
    return ServiceBusClient.from_connection_string(bus.connection_string, retry_total=0)


@pytest.fixture(scope="package")
def mailbox(client: ServiceBusClient):
    opened: list[ServiceBusSender | ServiceBusReceiver] = []
    yield lambda queue: Mailbox(client, queue, opened)
    with ThreadPoolExecutor(max(len(opened), 1)) as pool:
        list(pool.map(lambda one: one.close(), opened))
