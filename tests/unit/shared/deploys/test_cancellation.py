"""Waits that a cancel ends, and threads that are never left behind."""

import asyncio
import time

import pytest

from shared.deploys.cancellation import DeploymentCancelled, in_thread, unless_cancelled


async def never() -> bool:
    return False


async def test_the_result_of_the_work_or_its_error_is_passed_on():
    async def fails():
        raise ValueError("no")

    assert await unless_cancelled(asyncio.sleep(0, "done"), never) == "done"
    with pytest.raises(ValueError, match="no"):
        await unless_cancelled(fails(), never)


async def test_a_cancel_ends_the_work_and_waits_for_its_end(monkeypatch):
    monkeypatch.setattr("shared.deploys.cancellation.CHECK_SECONDS", 0.01)
    ended = []

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append(True)

    async def cancelled():
        return True

    with pytest.raises(DeploymentCancelled) as error:
        await unless_cancelled(work(), cancelled)
    assert (ended, error.value.code) == ([True], "deployment-stopped")


async def test_an_error_of_the_check_ends_the_work_as_well(monkeypatch):
    monkeypatch.setattr("shared.deploys.cancellation.CHECK_SECONDS", 0.01)
    work = asyncio.ensure_future(asyncio.sleep(60))

    async def refuses():
        raise RuntimeError("too large")

    async def awaited():
        await work

    with pytest.raises(RuntimeError, match="too large"):
        await unless_cancelled(awaited(), refuses)
    assert work.cancelled()


async def test_a_thread_sees_the_cancel_and_is_awaited():
    ended = []

    def work(cancelled):
        while not cancelled():
            time.sleep(0.01)
        ended.append(True)

    task = asyncio.ensure_future(in_thread(work))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]
    assert await in_thread(lambda _: 7) == 7
