import asyncio

from shared.platform import health
from shared.platform.errors import TransientError
from shared.platform.health import Check, Examiner


async def fine(): ...


async def broken():
    raise TransientError("db at 10.0.0.7 refused", code="postgres-unavailable")


async def hanging():
    await asyncio.Event().wait()


async def test_each_dependency_is_judged_by_its_own_probe(monkeypatch):
    monkeypatch.setattr(health, "FIRST_SECONDS", 0)
    found = await Examiner().examine([Check("a", fine), Check("b", broken), Check("c", hanging, timeout=0.01)])
    assert [(d.name, d.status, d.error) for d in found] == [
        ("a", "up", None),
        ("b", "down", "postgres-unavailable"),
        ("c", "down", "TimeoutError"),
    ]
    assert all(d.latency_ms >= 0 for d in found)
    assert "10.0.0.7" not in "".join(d.model_dump_json() for d in found)


async def test_many_askers_share_one_examination(monkeypatch):
    calls = 0
    gate = asyncio.Event()

    async def counted():
        nonlocal calls
        calls += 1
        await gate.wait()

    monkeypatch.setattr(health, "FRESH_SECONDS", 60)
    examiner = Examiner()
    asked = [asyncio.create_task(examiner.examine([Check("a", counted)])) for _ in range(20)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*asked)
    await examiner.examine([Check("a", counted)])
    assert calls == 1


async def test_an_old_finding_is_not_repeated(monkeypatch):
    monkeypatch.setattr(health, "FRESH_SECONDS", 0)
    examiner = Examiner()
    assert (await examiner.examine([Check("a", fine)]))[0].status == "up"
    assert (await examiner.examine([Check("a", broken)]))[0].status == "down"


async def test_loading_what_a_probe_needs_does_not_count_against_its_limit(monkeypatch):
    async def loads():
        await asyncio.sleep(0.05)

    monkeypatch.setattr(health, "FRESH_SECONDS", 0)
    examiner = Examiner()
    found = [(await examiner.examine([Check("a", loads, timeout=0.01)]))[0].status for _ in range(2)]
    assert found == ["up", "down"]


async def test_an_asker_that_leaves_does_not_stop_the_others():
    gate = asyncio.Event()
    examiner = Examiner()
    leaving = asyncio.create_task(examiner.examine([Check("a", gate.wait)]))
    staying = asyncio.create_task(examiner.examine([Check("a", gate.wait)]))
    await asyncio.sleep(0)
    leaving.cancel()
    gate.set()
    assert (await staying)[0].status == "up"
