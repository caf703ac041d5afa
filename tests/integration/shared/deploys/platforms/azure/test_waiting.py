"""What is waited for: Azure that takes its time, and the temporary storage that another deployment fills."""

import asyncio
import time

import pytest

from local.arm.cloud import broken, locked, throttled
from shared.deploys import sources
from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.platforms.azure import builds
from shared.platform.errors import TransientError
from tests.integration.shared.deploys.platforms.azure.deployed import app_of


async def test_throttling_and_an_app_that_is_busy_are_waited_for(harness, cloud, recorder):
    first, second = await harness.spec(health_seconds=30), await harness.spec(health_seconds=30)
    await harness.through(first)
    cloud.trouble = [throttled(), broken(), locked(), throttled()]
    await harness.through(second, to="build")
    app = app_of(cloud)
    _, app.operation = cloud.begin()
    app.operation.ends = time.monotonic() + 0.3
    await harness.through(second)
    assert await harness.who_serves() == second.deployment_id


async def test_a_cancel_is_seen_while_azure_takes_its_time(harness, cloud, recorder):
    spec = await harness.spec()
    built = await harness.through(spec, to="build")
    cloud.seconds = 60
    work = asyncio.create_task(harness.platform.release(spec, built.image, recorder.step))
    async with asyncio.timeout(10):
        while not cloud.apps:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
    began = time.monotonic()
    recorder.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await work
    assert time.monotonic() - began < 1.5


class AtWork:
    """How many at a time are in the functions that it stands in front of."""

    def __init__(self):
        self.now = self.most = 0

    def around(self, function):
        async def counted(*given, **named):
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                await asyncio.sleep(0.05)
                return await function(*given, **named)
            finally:
                self.now -= 1

        return counted


async def test_of_several_deployments_one_at_a_time_fills_the_temporary_storage(harness, recorders, monkeypatch):
    at_work = AtWork()
    monkeypatch.setattr(sources, "fetch", at_work.around(sources.fetch))
    monkeypatch.setattr(builds, "_start", at_work.around(builds._start))
    specs = [await harness.spec(project=f"p{number}") for number in range(3)]
    await asyncio.gather(*(harness.through(spec, recorders(), to="build") for spec in specs))
    assert at_work.most == 1


async def test_who_waits_for_the_temporary_storage_sees_a_cancel_and_the_end_of_its_box(harness, recorders):
    first, second = [await harness.spec() for _ in range(2)]
    workspace = await harness.platform.provision(first, recorders().step)
    await harness.platform._storage.acquire()
    cancelled = recorders()
    work = asyncio.create_task(harness.platform.sync(first, workspace, cancelled.step))
    await asyncio.sleep(0.1)
    cancelled.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await work
    with pytest.raises(TransientError) as busy:
        await harness.platform.sync(second, workspace, recorders(seconds=0.2).step)
    assert busy.value.code == "instance-busy"
    harness.platform._storage.release()
    assert (await harness.platform.sync(second, workspace, recorders().step)).reference
