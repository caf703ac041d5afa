"""What the stand-in has answered is kept, however it ends."""

import asyncio
import random
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient as AsyncClient
from azure.servicebus.exceptions import ServiceBusError

from local.servicebus.testing import ServiceBusProcess, running


def stored(bus: ServiceBusProcess, queue: str) -> list[str]:
    """The bodies of all messages in the queue, in its order."""
    bodies: list[str] = []
    with (
        ServiceBusClient.from_connection_string(bus.connection_string) as client,
        client.get_queue_receiver(queue) as receiver,
    ):
        while page := receiver.peek_messages(100):
            bodies += [str(one) for one in page]
    return bodies


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_lock_outlives_the_stand_in(tmp_path: Path, how: str):
    """A receiver that works while the stand-in restarts can still complete its message, and nobody else gets it."""
    with running(tmp_path, ["work"]) as bus:
        client = ServiceBusClient.from_connection_string(bus.connection_string, retry_backoff_factor=0.1)
        with client, client.get_queue_sender("work") as sender:
            sender.send_messages([ServiceBusMessage("one"), ServiceBusMessage("two")])
            sender.schedule_messages(ServiceBusMessage("three"), datetime.now(UTC) + timedelta(hours=1))
            with client.get_queue_receiver("work") as receiver:
                [message] = receiver.receive_messages(1, 5)
                getattr(bus, how)()
                bus.start()
                receiver.complete_message(message)
        assert stored(bus, "work") == ["two", "three"]


async def test_no_acknowledged_message_is_lost_or_doubled_by_kills(tmp_path: Path):
    """Each kill finds a send that nobody has answered; a message id makes each send safe to repeat."""
    total, kills = 300, 5
    acknowledged: list[str] = []
    unanswered: set[str] = set()
    found: set[str] = set()
    broken_off: set[str] = set()
    begun = asyncio.Event()
    chance = random.Random(7)

    async def send_all(client: AsyncClient) -> None:
        sender = client.get_queue_sender("work")
        while len(acknowledged) < total:
            number = str(len(acknowledged))
            unanswered.add(number)
            begun.set()
            try:
                for _ in range(chance.randint(1, 2)):
                    await sender.send_messages(ServiceBusMessage(number, message_id=number))
                unanswered.clear()
                acknowledged.append(number)
            except ServiceBusError:
                unanswered.clear()
                broken_off.update(found & {number})
                await sender.close()
                sender = client.get_queue_sender("work")
        await sender.close()

    async def kill_often(bus: ServiceBusProcess) -> None:
        for kill in range(kills):
            while len(acknowledged) < (kill + 1) * total // (kills + 1) or not unanswered:
                begun.clear()
                await begun.wait()
                for _ in range(chance.randint(0, 20)):  # more or less far into the send
                    await asyncio.sleep(0)
            found.update(unanswered)
            bus.kill()  # on this loop, so that no answer is read before it
            await asyncio.to_thread(bus.start)

    with running(tmp_path, ["work,duplicate-detection=PT10M"]) as bus:
        async with AsyncClient.from_connection_string(bus.connection_string, retry_total=0) as client:
            await asyncio.gather(send_all(client), kill_often(bus))
        assert len(found) == kills
        assert broken_off, "no kill broke off a send"
        bus.kill()
        bus.start()
        assert stored(bus, "work") == [str(number) for number in range(total)]


def test_a_signal_stops_it_cleanly(tmp_path: Path):
    bus = ServiceBusProcess(tmp_path, ["work"])
    bus.start()
    with (
        ServiceBusClient.from_connection_string(bus.connection_string, retry_total=0) as client,
        client.get_queue_receiver("work") as receiver,
    ):
        assert receiver.receive_messages(1, 0.1) == []
        assert bus.stop() == 0


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.servicebus", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_a_busy_port_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start("--port", str(port), "--data", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == f"Port {port} is in use. Stop what uses it or pass --port.\n"


def test_a_busy_administration_port_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start("--port", "0", "--admin-port", str(port), "--data", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == f"Port {port} is in use. Stop what uses it or pass --admin-port.\n"


def test_one_folder_serves_one_process(tmp_path: Path):
    with running(tmp_path, ["work"]):
        ended = start("--port", "0", "--data", str(tmp_path))
    assert ended.returncode == 1
    used = f"The store of the queues {tmp_path / 'servicebus.sqlite'} is used by another process."
    assert ended.stderr == f"{used} Stop that one, or pass --data with another folder.\n"


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000])
def test_a_damaged_file_is_named_with_the_remedy_and_left_as_it_is(tmp_path: Path, content: bytes):
    file = tmp_path / "servicebus.sqlite"
    file.write_bytes(content)
    ended = start("--port", "0", "--data", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"The store of the queues {file} is damaged: ")
    assert ended.stderr.count("\n") == 1
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--queue", "work,lock=PT10M"], "Queue 'work': Properties.LockDuration: "),
        (["--queue", "work,session"], "Queue 'work': 'session' is not understood. Known: lock=, "),
        (["--config", "nowhere.json"], "nowhere.json: No such file or directory"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, arguments: list[str], message: str):
    ended = start("--port", "0", "--data", str(tmp_path), *arguments)
    assert ended.returncode == 1
    assert ended.stderr.startswith(message)
    assert ended.stderr.count("\n") == 1
