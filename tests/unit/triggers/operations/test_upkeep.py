"""The timers of operations."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.platform.durable import DurableClient
from shared.platform.errors import Conflict
from shared.platform.sweeps import Sweep
from shared.platform.workload import Workload
from triggers.operations import upkeep

TIMER = SimpleNamespace(past_due=False)


class Client:
    """A durable client that notes what it is asked."""

    started: list[tuple[str, str]]
    purged: list[object]
    busy = False

    def __init__(self, _: object) -> None: ...

    async def start(self, orchestration, task, *, instance_id):
        if self.busy:
            raise Conflict("it is running")
        self.started.append((orchestration.name, instance_id))

    start_if_idle = DurableClient.start_if_idle

    async def purge_before(self, moment):
        self.purged.append(moment)
        return 3


@pytest.fixture(autouse=True)
def client(monkeypatch):
    monkeypatch.setattr(upkeep, "DurableClient", Client)
    monkeypatch.setattr(Client, "started", [], raising=False)
    monkeypatch.setattr(Client, "purged", [], raising=False)
    return Client


def function_of(name):
    [builder] = [one for one in upkeep.timers._function_builders if one._function._name == name]
    entry: Any = builder._function.get_user_function()
    return entry.client_function


async def test_the_minute_timer_runs_the_sweeps_of_every_workload(monkeypatch):
    ran = []

    def sweep(name, due):
        async def asked(_):
            return due

        async def run(_):
            ran.append(name)

        return Sweep(name, due=asked, run=run)

    loaded = (Workload(name="a", sweeps=(sweep("a", True),)), Workload(name="b", sweeps=(sweep("b", False),)))
    monkeypatch.setattr(upkeep, "workloads", lambda: loaded)
    await function_of("operations_minute")(TIMER, None)
    assert ran == ["a"]


async def test_the_queues_are_looked_at_once_at_a_time(client, monkeypatch):
    await function_of("operations_hourly")(TIMER, None)
    assert client.started == [("watch_operations", "operations-watch")]
    monkeypatch.setattr(client, "busy", True)
    await function_of("operations_hourly")(TIMER, None)
    assert client.started == [("watch_operations", "operations-watch")]


async def test_ended_orchestrations_are_purged_after_their_days(client, monkeypatch):
    monkeypatch.setattr(upkeep, "settings", lambda: SimpleNamespace(instance_retention_days=30))
    await function_of("operations_purge")(TIMER, None)
    [before] = client.purged
    assert 29.9 < (upkeep.datetime.now(upkeep.UTC) - before).total_seconds() / 86_400 < 30.1
