import asyncio
import threading

from local.host import watchdog


async def test_a_loop_that_stands_still_is_told_of_once_with_its_stack(caplog, monkeypatch):
    monkeypatch.setattr(watchdog, "_is_debugged", lambda: False)
    told = threading.Event()
    monkeypatch.setattr(watchdog.host_log, "handle", lambda record: (records.append(record.getMessage()), told.set()))
    records = []
    dog = watchdog.Watchdog(patience=0.05)
    dog.start()
    assert told.wait(10)  # which blocks the loop that is watched
    dog.stop()
    await asyncio.sleep(0)
    assert len(records) == 1
    assert "The host has stood still for 0.05 s" in records[0]
    assert "told.wait(10)" in records[0]


async def test_a_loop_that_goes_on_is_left_alone(monkeypatch):
    monkeypatch.setattr(watchdog, "_is_debugged", lambda: False)
    records = []
    monkeypatch.setattr(watchdog.host_log, "handle", records.append)
    dog = watchdog.Watchdog(patience=1)
    dog.start()
    for _ in range(20):
        await asyncio.sleep(0.01)
    dog.stop()
    assert records == []


async def test_a_breakpoint_may_stand_still(monkeypatch):
    monkeypatch.setattr(watchdog, "_is_debugged", lambda: True)
    records = []
    monkeypatch.setattr(watchdog.host_log, "handle", records.append)
    dog = watchdog.Watchdog(patience=0.02)
    dog.start()
    threading.Event().wait(0.2)
    dog.stop()
    assert records == []
