"""Sending to the queues: later, and to a broker that does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus.aio import ServiceBusClient

from local.servicebus.testing import ServiceBusProcess
from local.servicebus.testing import running as service_bus
from shared.platform.errors import TransientError
from shared.platform.messaging import servicebus
from shared.platform.messaging.servicebus import send
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_servicebus


@pytest.fixture
def broker(tmp_path: Path) -> Generator[ServiceBusProcess]:
    with service_bus(tmp_path, ["plain"]) as process:
        yield process


@pytest.fixture(autouse=True)
async def _configured(broker: ServiceBusProcess, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    monkeypatch.setenv("SERVICEBUS", broker.connection_string)
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    forget_settings()
    yield
    await close_servicebus()
    forget_settings()


async def test_a_message_for_later_is_not_delivered_before(broker: ServiceBusProcess) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1)
    await send("plain", "later", after=timedelta(seconds=1))
    client = ServiceBusClient.from_connection_string(broker.connection_string)
    async with client, client.get_queue_receiver("plain") as receiver:
        (message,) = await receiver.receive_messages(1, max_wait_time=10)
        assert datetime.now(UTC) >= due
    assert str(message) == "later"


async def test_a_broker_that_hangs_is_given_up_and_found_again(
    broker: ServiceBusProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send("plain", "before")
    with broker.hanging(), monkeypatch.context() as patched:
        patched.setattr(servicebus, "SEND_SECONDS", 0.5)
        tries = await asyncio.gather(*(send("plain", "hangs") for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in tries] == [TransientError] * 3
    await send("plain", "after")
