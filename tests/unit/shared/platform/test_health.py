import asyncio

import pytest

from shared.platform import health
from shared.platform.errors import TerminalError, TransientError
from shared.platform.health import Check, Examiner


async def fine(): ...


async def broken():
    raise TransientError("db at 10.0.0.7 refused", code="postgres-unavailable")


async def hanging():
    await asyncio.Event().wait()


async def test_each_dependency_is_judged_by_its_own_probe():
    found = await Examiner().examine([Check("a", fine), Check("b", broken), Check("c", hanging, timeout=0.01)])
    assert [(d.name, d.status, d.error) for d in found] == [
        ("a", "up", None),
        ("b", "down", "postgres-unavailable"),
        ("c", "down", "TimeoutError"),
    ]
    assert all(d.latency_ms >= 0 for d in found)
    assert "10.0.0.7" not in "".join(d.model_dump_json() for d in found)


async def test_many_askers_share_one_examination():
    calls = 0
    gate = asyncio.Event()

    async def counted():
        nonlocal calls
        calls += 1
        await gate.wait()

    examiner = Examiner(fresh=60)
    asked = [asyncio.create_task(examiner.examine([Check("a", counted)])) for _ in range(20)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*asked)
    await examiner.examine([Check("a", counted)])
    assert calls == 1


async def test_an_old_finding_is_not_repeated():
    examiner = Examiner(fresh=0)
    assert (await examiner.examine([Check("a", fine)]))[0].status == "up"
    assert (await examiner.examine([Check("a", broken)]))[0].status == "down"


async def test_an_asker_that_leaves_does_not_stop_the_others():
    gate = asyncio.Event()
    examiner = Examiner()
    leaving = asyncio.create_task(examiner.examine([Check("a", gate.wait)]))
    staying = asyncio.create_task(examiner.examine([Check("a", gate.wait)]))
    await asyncio.sleep(0)
    leaving.cancel()
    gate.set()
    assert (await staying)[0].status == "up"


async def test_unusable_settings_are_what_is_down(monkeypatch):
    def unusable():
        raise TerminalError("POSTGRES_DSN is missing", code="settings")

    monkeypatch.setattr(health, "settings", unusable)
    (found,) = await Examiner().examine(health.checks())
    assert (found.name, found.status, found.error) == ("settings", "down", "settings")


@pytest.mark.parametrize(("connection", "expected"), [(None, False), ("Endpoint=sb://localhost", True)])
def test_service_bus_is_checked_where_it_is_used(monkeypatch, connection, expected):
    monkeypatch.setenv("POSTGRES_DSN", "host=localhost")
    monkeypatch.delenv("ServiceBus", raising=False)
    if connection:
        monkeypatch.setenv("ServiceBus", connection)
    monkeypatch.setattr(health, "settings", health.settings.__wrapped__)
    names = [check.name for check in health.checks()]
    assert names[:3] == ["settings", "postgres", "blobs"]
    assert ("servicebus" in names) is expected
