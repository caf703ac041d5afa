"""What an operation costs must not grow with the messages that wait."""

from pathlib import Path

import pytest

from local.servicebus.queues.broker import Broker
from local.servicebus.queues.queue import Incoming, Queue
from local.servicebus.queues.settings import parse_queue


def steps(queue: Queue, action) -> int:
    """Instructions of SQLite's machine, in hundreds."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    queue._database.set_progress_handler(tick, 100)
    action()
    queue._database.set_progress_handler(None, 0)
    return count


def deliver(queue: Queue) -> None:
    delivery = queue.receive()
    assert delivery is not None
    assert delivery.lock_token is not None
    queue.renew([delivery.lock_token])
    queue.settle(delivery.lock_token, "abandon")
    queue.next_change()


@pytest.mark.parametrize("life", ["", ",ttl=PT1H"])
def test_a_backlog_costs_nothing(tmp_path: Path, life: str):
    broker = Broker(tmp_path, [parse_queue(f"q,max-delivery=2000,duplicate-detection=PT1M{life}")])
    queue = broker.queues["q"]
    queue.send([Incoming(b"x", f"few {number}") for number in range(10)])
    few = steps(queue, lambda: [deliver(queue) for _ in range(20)])
    queue.send([Incoming(b"x", f"many {number}") for number in range(3000)])
    held = [queue.receive() for _ in range(1000)]
    many = steps(queue, lambda: [deliver(queue) for _ in range(20)])
    assert all(held)
    assert many < 2 * few + 10
    broker.close()
