"""The app's Service Bus queues: one client per process, senders that are kept, receivers that are not."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from shared.platform.calls.authorities import authorities
from shared.platform.credentials import credential
from shared.platform.errors import NotFound, TerminalError, TransientError
from shared.platform.per_loop import PerLoop
from shared.platform.settings import settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping
    from datetime import timedelta

    from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

SEND_SECONDS = 15
"""Seconds until a send is given up: callers of the app's routes wait for it."""


class _Sender:
    """A queue's sender, which takes one message at a time."""

    def __init__(self, sender: ServiceBusSender) -> None:
        self.sender = sender
        self.turn = asyncio.Lock()


_queues_of_workloads: Callable[[], list[str]] = list


def use_queues(queues: Callable[[], list[str]]) -> None:
    """Let operators see these queues, those of the app's workloads, unless SERVICEBUS_QUEUES names others."""
    global _queues_of_workloads  # noqa: PLW0603 - an app is loaded once in a process, as the host does
    _queues_of_workloads = queues


def known_queues() -> list[str]:
    """The queues that operators see: those that SERVICEBUS_QUEUES names, else those of the app's workloads."""
    named = settings().servicebus_queues
    return named.split(",") if named else _queues_of_workloads()


def check_queue(queue: str) -> None:
    """See that there is such a queue.

    Raises:
        NotFound: it is none of `known_queues`.
    """
    if queue not in known_queues():
        raise NotFound(
            f"There is no queue {queue!r}.",
            code="unknown-queue",
            remedy=f"The queues are: {', '.join(known_queues())}.",
        )


async def send(
    queue: str,
    body: str | bytes,
    *,
    message_id: str | None = None,
    correlation_id: str | None = None,
    properties: Mapping[str, str | int] | None = None,
    after: timedelta | None = None,
) -> None:
    """Send one message of JSON, to be delivered at once or `after` a while.

    A queue that looks for duplicates drops one whose `message_id` it has just seen.

    Raises:
        TransientError: the service did not take it.
    """
    from azure.servicebus import ServiceBusMessage  # noqa: PLC0415 - loads where it is needed

    message = ServiceBusMessage(
        body,
        message_id=message_id,
        correlation_id=correlation_id,
        content_type="application/json",
        application_properties=cast("Any", dict(properties or {})),
        scheduled_enqueue_time_utc=datetime.now(UTC) + after if after else None,
    )
    await send_message(queue, message)


def _open_client() -> ServiceBusClient:
    from azure.servicebus.aio import ServiceBusClient  # noqa: PLC0415 - loads where it is needed

    config = settings()
    # The SDK would log every link that it opens and closes.
    logging.getLogger("azure.servicebus").setLevel(logging.WARNING)
    trusted = authorities("amqp")
    if config.servicebus:
        connection = config.servicebus.get_secret_value()
        return ServiceBusClient.from_connection_string(connection, retry_total=2, ssl_context=trusted)
    if config.servicebus_namespace:
        return ServiceBusClient(config.servicebus_namespace, credential(), retry_total=2, ssl_context=trusted)
    raise TerminalError(
        "No Service Bus is named.", code="settings", remedy="Set ServiceBus__fullyQualifiedNamespace or ServiceBus."
    )


_clients = PerLoop(_open_client)
_senders = PerLoop[dict[str, _Sender]](dict)


async def send_message(queue: str, message: Any) -> None:
    """Send a message of the SDK's. Raises as `send`."""
    senders = _senders.get()
    with _failures(queue):
        if queue not in senders:
            senders[queue] = _Sender(_clients.get().get_queue_sender(queue))
        held = senders[queue]
        try:
            async with asyncio.timeout(SEND_SECONDS), held.turn:
                await held.sender.send_messages(message)
        except TimeoutError:
            # Whether it was taken is not known, and its connection may hang for ever: the next send opens another.
            if senders.get(queue) is held:
                del senders[queue]
            raise


@asynccontextmanager
async def receiver(queue: str, *, dead: bool) -> AsyncGenerator[ServiceBusReceiver]:
    """A receiver of the queue, or of its dead letters, closed at the end of the block.

    Raises:
        TransientError: the service did not answer, also within the block.
        TerminalError: there is no such queue.
    """
    from azure.servicebus import ServiceBusSubQueue  # noqa: PLC0415 - loads where it is needed

    part = ServiceBusSubQueue.DEAD_LETTER if dead else None
    with _failures(queue):
        async with _clients.get().get_queue_receiver(queue, sub_queue=part) as opened:
            yield opened


@contextmanager
def _failures(queue: str) -> Generator[None]:
    """What the SDK raises, as errors of this app."""
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - loads where it is needed
    from azure.servicebus.exceptions import (  # noqa: PLC0415 - as above
        MessageSizeExceededError,
        MessagingEntityNotFoundError,
        ServiceBusError,
    )

    try:
        yield
    except (MessagingEntityNotFoundError, MessageSizeExceededError) as error:
        raise TerminalError(f"The queue {queue} refused: {type(error).__name__}.", code="servicebus-refused") from error
    except (ServiceBusError, ClientAuthenticationError, OSError) as error:
        raise TransientError(
            f"Service Bus did not do its part for the queue {queue}: {type(error).__name__}.",
            code="servicebus-unavailable",
        ) from error
