"""The app's view of real queues: sent to, their dead letters read and put back."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from azure.servicebus.aio import ServiceBusClient

from local.servicebus.testing import ServiceBusProcess
from local.servicebus.testing import running as service_bus
from shared.platform.errors import NotFound, TerminalError, TransientError
from shared.platform.messaging import dead_letters
from shared.platform.messaging.servicebus import check_queue, send
from tests.fresh_settings import forget_settings
from tests.integration.closing import close_servicebus

QUEUES = ["plain,max-delivery=1", "once,duplicate-detection=PT5M"]


@pytest.fixture
def broker(tmp_path: Path) -> Generator[ServiceBusProcess]:
    with service_bus(tmp_path, QUEUES) as process:
        yield process


@pytest.fixture(autouse=True)
async def _configured(broker: ServiceBusProcess, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    monkeypatch.setenv("SERVICEBUS", broker.connection_string)
    monkeypatch.setenv("SERVICEBUS_QUEUES", "plain,once")
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    forget_settings()
    yield
    await close_servicebus()
    forget_settings()


async def give_up(broker: ServiceBusProcess, queue: str, messages: int) -> None:
    """Dead-letter the next messages of the queue, as a consumer that cannot use them does."""
    client = ServiceBusClient.from_connection_string(broker.connection_string)
    async with client, client.get_queue_receiver(queue) as receiver:
        for _ in range(messages):
            (message,) = await receiver.receive_messages(1, max_wait_time=5)
            await receiver.dead_letter_message(message, reason="unusable", error_description="no runId")


async def bodies(broker: ServiceBusProcess, queue: str) -> list[tuple[str, str | None]]:
    """The bodies and message ids that wait in the queue, which they leave."""
    found = []
    client = ServiceBusClient.from_connection_string(broker.connection_string)
    async with client, client.get_queue_receiver(queue) as receiver:
        while messages := await receiver.receive_messages(20, max_wait_time=1):
            for message in messages:
                found.append((str(message), message.message_id))
                await receiver.complete_message(message)
    return found


async def test_dead_letters_are_shown_in_pages_without_their_secrets(broker: ServiceBusProcess) -> None:
    for number in range(3):
        body = {"n": number, "password": "c4n4ry", "pad": "x" * 5_000}
        await send(
            "plain", json.dumps(body), message_id=f"m{number}", correlation_id="c", properties={"apiKey": "c4n4ry"}
        )
    await give_up(broker, "plain", 3)
    first = await dead_letters.read_dead_letters("plain", limit=2)
    rest = await dead_letters.read_dead_letters("plain", limit=2, first=first[-1].sequence_number + 1)
    shown = [*first, *rest]
    assert [one.message_id for one in shown] == ["m0", "m1", "m2"]
    assert {(one.reason, one.description, one.correlation_id) for one in shown} == {("unusable", "no runId", "c")}
    assert all(one.size > 5_000 and len(one.body) == dead_letters.BODY_SHOWN for one in shown)
    assert all(one.properties["apiKey"] == "***" for one in shown)
    assert "c4n4ry" not in "".join(one.model_dump_json() for one in shown)


async def test_chosen_dead_letters_go_back_and_the_others_stay(broker: ServiceBusProcess) -> None:
    for name in ("a", "b", "c"):
        await send("plain", name, message_id=name)
    await give_up(broker, "plain", 3)
    numbers = {one.body: one.sequence_number for one in await dead_letters.read_dead_letters("plain", limit=10)}
    answer = await dead_letters.resubmit("plain", [numbers["b"], 12345])
    assert answer.model_dump() == {"resubmitted": [numbers["b"]], "missing": [12345]}
    left = await dead_letters.read_dead_letters("plain", limit=10)
    assert [one.body for one in left] == ["a", "c"]
    assert await bodies(broker, "plain") == [("b", f"b~{numbers['b']}")]
    again = await dead_letters.resubmit("plain", None)
    assert again.resubmitted == [numbers["a"], numbers["c"]]
    assert await dead_letters.read_dead_letters("plain", limit=10) == []


async def test_a_queue_that_drops_duplicates_does_not_drop_what_is_put_back(broker: ServiceBusProcess) -> None:
    await send("once", '{"deployment": 1}', message_id="d-1")
    await send("once", '{"deployment": 1}', message_id="d-1")
    await give_up(broker, "once", 1)
    await dead_letters.resubmit("once", None)
    assert [body for body, _ in await bodies(broker, "once")] == ['{"deployment": 1}']


async def test_what_is_put_back_keeps_its_properties_and_loses_those_of_its_death(broker: ServiceBusProcess) -> None:
    await send("plain", "x", correlation_id="trace-9", properties={"tenant": "t1"})
    await give_up(broker, "plain", 1)
    await dead_letters.resubmit("plain", None)
    client = ServiceBusClient.from_connection_string(broker.connection_string)
    async with client, client.get_queue_receiver("plain") as receiver:
        (message,) = await receiver.receive_messages(1, max_wait_time=5)
    assert message.correlation_id == "trace-9"
    assert message.application_properties == {b"tenant": b"t1"}


async def test_many_at_once_share_a_sender(broker: ServiceBusProcess) -> None:
    import asyncio

    await asyncio.gather(*(send("plain", str(number)) for number in range(40)))
    assert sorted(int(body) for body, _ in await bodies(broker, "plain")) == list(range(40))


async def test_a_broker_that_is_away_is_transient(broker: ServiceBusProcess) -> None:
    broker.stop()
    with pytest.raises(TransientError) as raised:
        await dead_letters.read_dead_letters("plain", limit=1)
    assert raised.value.code == "servicebus-unavailable"


async def test_unknown_queues_are_named(broker: ServiceBusProcess) -> None:
    with pytest.raises(NotFound, match="The queues are: plain, once") as raised:
        check_queue("other")
    assert raised.value.code == "unknown-queue"
    with pytest.raises((TerminalError, TransientError)):
        await send("other", "x")


async def test_without_a_namespace_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVICEBUS")
    forget_settings()
    with pytest.raises(TerminalError, match="Set ServiceBus__fullyQualifiedNamespace or ServiceBus"):
        await send("plain", "x")
