"""Clients of other kinds: asynchronous, many at once, with a wrong key, and the administration client."""

import asyncio
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient as AsyncClient
from azure.servicebus.exceptions import ServiceBusAuthenticationError
from azure.servicebus.management import ServiceBusAdministrationClient

from local.servicebus.testing import ServiceBusProcess, running


async def test_competing_receivers_share_the_messages(bus: ServiceBusProcess):
    total, receivers = 200, 4
    async with AsyncClient.from_connection_string(bus.connection_string) as client:
        async with client.get_queue_sender("competing") as sender:
            await sender.send_messages([ServiceBusMessage(str(number)) for number in range(total)])

        async def work() -> list[int]:
            async with client.get_queue_receiver("competing", prefetch_count=5, max_wait_time=2) as receiver:
                numbers = []
                async for message in receiver:
                    await receiver.complete_message(message)
                    numbers.append(int(str(message)))
                return numbers

        shares = await asyncio.gather(*(work() for _ in range(receivers)))
    assert sorted(number for share in shares for number in share) == list(range(total))
    assert all(share == sorted(share) for share in shares)
    assert min(len(share) for share in shares) > total / receivers / 4


@pytest.fixture(scope="module")
def locked_bus(tmp_path_factory: pytest.TempPathFactory) -> Generator[ServiceBusProcess]:
    with running(tmp_path_factory.mktemp("keyed"), ["work"], ["--key", "a secret"]) as process:
        yield process


@pytest.mark.parametrize(("key", "welcome"), [("a secret", True), ("another", False)])
def test_a_key_keeps_strangers_out(locked_bus: ServiceBusProcess, key: str, welcome: bool):
    connection_string = locked_bus.connection_string.replace("SAS_KEY_VALUE", key)
    with ServiceBusClient.from_connection_string(connection_string, retry_total=0) as client:
        sender = client.get_queue_sender("work")
        if welcome:
            sender.send_messages(ServiceBusMessage("x"))
        else:
            with pytest.raises(ServiceBusAuthenticationError):
                sender.send_messages(ServiceBusMessage("x"))
        sender.close()


class PlainHttp(RequestsTransport):
    """The administration client says https whatever the connection string says."""

    def send(self, request, **options):
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, **options)


def test_the_administration_client_reads_settings_and_counts(bus: ServiceBusProcess, mailbox):
    box = mailbox("counted")
    box.send("dead", "locked", "waiting")
    receiver = box.receiver()
    dead, _locked = receiver.receive_messages(2, 5)
    receiver.dead_letter_message(dead)
    box.sender.schedule_messages(ServiceBusMessage("scheduled"), datetime.now(UTC) + timedelta(hours=1))

    connection_string = bus.connection_string.replace(str(bus.port), str(bus.admin_port))
    client = ServiceBusAdministrationClient.from_connection_string(connection_string, transport=PlainHttp())
    with client:
        counts = client.get_queue_runtime_properties("counted")
        assert counts.active_message_count == 2
        assert counts.dead_letter_message_count == 1
        assert counts.scheduled_message_count == 1
        assert counts.total_message_count == 4
        assert counts.size_in_bytes
        queue = client.get_queue("counted")
        assert (queue.lock_duration, queue.max_delivery_count) == (timedelta(minutes=2), 4)
        assert queue.requires_duplicate_detection
        assert queue.duplicate_detection_history_time_window == timedelta(seconds=20)
        assert queue.dead_lettering_on_message_expiration
        assert [one.name for one in client.list_queues()][:2] == ["plain", "properties"]
        with pytest.raises(ResourceNotFoundError):
            client.get_queue_runtime_properties("nowhere")
