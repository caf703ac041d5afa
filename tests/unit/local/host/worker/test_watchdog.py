import asyncio
import io
import pdb  # noqa: T100 - what stands still here
import threading

from local.host.worker import watchdog


async def test_a_loop_that_stands_still_is_told_of_once_with_its_stack(caplog, monkeypatch):
    monkeypatch.setattr(watchdog, "is_debugged", lambda: False)
    noticed = threading.Event()
    monkeypatch.setattr(
        watchdog.host_log, "handle", lambda record: (records.append(record.getMessage()), noticed.set())
    )
    records = []
    dog = watchdog.Watchdog(patience=0.05)
    dog.start()
    assert noticed.wait(10)  # which blocks the loop that is watched
    dog.stop()
    await asyncio.sleep(0)
    assert len(records) == 1
    assert "The host has stood still for 0.05 s" in records[0]
    assert "noticed.wait(10)" in records[0]


async def test_a_loop_that_goes_on_is_left_alone(monkeypatch):
    monkeypatch.setattr(watchdog, "is_debugged", lambda: False)
    records = []
    monkeypatch.setattr(watchdog.host_log, "handle", records.append)
    dog = watchdog.Watchdog(patience=1)
    dog.start()
    for _ in range(20):
        await asyncio.sleep(0.01)
    dog.stop()
    assert records == []


async def test_a_breakpoint_may_stand_still(monkeypatch):
    monkeypatch.setattr(watchdog, "is_debugged", lambda: True)
    records = []
    monkeypatch.setattr(watchdog.host_log, "handle", records.append)
    dog = watchdog.Watchdog(patience=0.02)
    dog.start()
    threading.Event().wait(0.2)
    dog.stop()
    assert records == []


async def test_a_stand_that_is_over_is_remembered(monkeypatch):
    monkeypatch.setattr(watchdog, "_stood", threading.Event())
    go_on = threading.Event()

    class Developer(io.StringIO):
        def readline(self, size=-1, /):
            go_on.wait(20)
            return "continue\n"

    def stands():
        pdb.Pdb(stdin=Developer(), stdout=io.StringIO(), nosigint=True, readrc=False).set_trace()

    assert not watchdog.is_debugged()
    dog = watchdog.Watchdog(patience=0.01)
    dog.start()
    thread = threading.Thread(target=stands)
    thread.start()
    assert watchdog._stood.wait(10)
    go_on.set()
    thread.join()
    dog.stop()
    assert watchdog.is_debugged()


async def test_a_breakpoint_reached_while_the_loop_stands_still_is_seen(caplog, monkeypatch):
    monkeypatch.setattr(watchdog, "_stood", threading.Event())
    noticed, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(watchdog.host_log, "handle", lambda _: noticed.set())

    class Developer(io.StringIO):
        def readline(self, size=-1, /):
            go_on.wait(20)
            return "continue\n"

    def stands():
        noticed.wait(10)
        pdb.Pdb(stdin=Developer(), stdout=io.StringIO(), nosigint=True, readrc=False).set_trace()

    dog = watchdog.Watchdog(patience=0.01)
    dog.start()
    thread = threading.Thread(target=stands)
    thread.start()
    assert watchdog._stood.wait(10)  # which blocks the loop that is watched
    go_on.set()
    thread.join()
    dog.stop()
