"""Builds by ACR Tasks, as the registry is asked for them."""

import asyncio

import pytest

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.secrets import secret_store
from shared.platform.errors import TerminalError


async def test_a_cancelled_build_is_cancelled_at_the_builder(harness, cloud, recorder):
    spec = await harness.spec("slow-build")
    context = await harness.through(spec, to="sync")
    work = asyncio.create_task(harness.platform.build(spec, context, recorder.step))
    async with asyncio.timeout(10):
        while "building" not in recorder.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.02)
    recorder.cancel.set()
    with pytest.raises(DeploymentCancelled):
        await work
    assert [run.status for run in cloud.runs.values()] == ["Canceled"]


async def test_a_subscription_that_may_not_build_has_an_error_of_its_own(harness, cloud, recorder):
    """A free or student one: no role and no other try helps, so it is not called a refusal of the app's identity."""
    spec = await harness.spec()
    context = await harness.through(spec, to="sync")
    cloud.builds_allowed = False
    with pytest.raises(TerminalError, match="free, student") as refusal:
        await harness.platform.build(spec, context, recorder.step)
    assert refusal.value.code == "builds-not-allowed"
    assert cloud.runs == {}


async def test_a_build_is_given_the_variables_that_are_no_secrets(harness, cloud):
    reference = await secret_store().put({"VITE_API": "https://api", "TOKEN": "canary-never-in-a-build"})
    spec = await harness.spec(secrets_reference=reference, plain_variables=("VITE_API",))
    await harness.through(spec, to="build")
    [run] = cloud.runs.values()
    assert run.request["arguments"] == [{"name": "VITE_API", "value": "https://api", "isSecret": False}]
