"""How full the queues are: by the resource manager, and by peeking where there is none."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from local.servicebus.testing import ServiceBusProcess
from local.servicebus.testing import running as service_bus
from shared.platform.errors import TerminalError, TransientError
from shared.platform.messaging import queue_figures
from shared.platform.messaging.servicebus import send, send_message
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_servicebus


@pytest.fixture
def broker(tmp_path: Path) -> Generator[ServiceBusProcess]:
    with service_bus(tmp_path, ["plain", "once"]) as process:
        yield process


@pytest.fixture(params=["resource manager", "peeking"])
async def _configured(
    request: pytest.FixtureRequest, broker: ServiceBusProcess, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[None]:
    monkeypatch.setenv("SERVICEBUS", broker.connection_string)
    monkeypatch.setenv("SERVICEBUS_QUEUES", "plain,once")
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    if request.param == "resource manager":
        monkeypatch.setenv("SERVICEBUS_RESOURCE", broker.resource)
    forget_settings()
    yield
    await close_servicebus()
    forget_settings()


@pytest.mark.usefixtures("_configured")
async def test_figures_tell_what_waits_comes_later_and_was_given_up(broker: ServiceBusProcess) -> None:
    for number in range(5):
        await send("plain", json.dumps({"n": number}))
    later = datetime.now(UTC) + timedelta(hours=1)
    await send_message("plain", ServiceBusMessage("later", scheduled_enqueue_time_utc=later))
    client = ServiceBusClient.from_connection_string(broker.connection_string)
    async with client, client.get_queue_receiver("plain") as receiver:
        for message in await receiver.receive_messages(2, max_wait_time=5):
            await receiver.dead_letter_message(message)
    plain, once = await queue_figures.all_figures()
    assert plain.model_dump() == {"queue": "plain", "active": 3, "scheduled": 1, "dead_letters": 2, "exact": True}
    assert once.model_dump() == {"queue": "once", "active": 0, "scheduled": 0, "dead_letters": 0, "exact": True}


@pytest.mark.parametrize(
    ("_configured", "expected"), [("resource manager", (9, True)), ("peeking", (7, False))], indirect=["_configured"]
)
@pytest.mark.usefixtures("_configured")
async def test_only_peeking_stops_at_a_limit_and_says_so(
    monkeypatch: pytest.MonkeyPatch, expected: tuple[int, bool]
) -> None:
    monkeypatch.setattr(queue_figures, "COUNTED", 7)
    monkeypatch.setattr(queue_figures, "PEEKED", 3)
    for number in range(9):
        await send("plain", str(number))
    plain, _ = await queue_figures.all_figures()
    assert (plain.active, plain.exact) == expected


@pytest.mark.parametrize(
    ("_configured", "code"),
    [("resource manager", "azure-unavailable"), ("peeking", "servicebus-unavailable")],
    indirect=["_configured"],
)
@pytest.mark.usefixtures("_configured")
async def test_who_counts_and_is_away_is_transient(
    broker: ServiceBusProcess, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(queue_figures, "ANSWER_SECONDS", 0.2)
    broker.stop()
    with pytest.raises(TransientError) as raised:
        await queue_figures.all_figures()
    assert raised.value.code == code


@pytest.mark.parametrize("_configured", ["resource manager"], indirect=True)
@pytest.mark.usefixtures("_configured")
async def test_a_queue_that_the_namespace_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICEBUS_QUEUES", "plain,other")
    forget_settings()
    with pytest.raises(TerminalError, match=r"no queue other.*the namespace has: once, plain"):
        await queue_figures.all_figures()
