"""When a new revision is healthy, and why it is not."""

import pytest

from local.arm.cloud import Outcome
from shared.deploys.platforms.azure.names import suffix
from shared.platform.errors import TerminalError
from tests.integration.shared.deploys.platforms.azure.deployed import CANARY, spec_with_secret


async def test_an_image_that_cannot_be_fetched_is_an_unhealthy_revision(harness, cloud):
    first, second = await harness.spec(), await harness.spec()
    await harness.through(first)
    cloud.outcomes[suffix(second)] = Outcome(pulled=False)
    revision = await harness.through(second, to="release")
    assert (revision.healthy, "MANIFEST_UNKNOWN" in revision.reason) == (False, True)
    assert await harness.who_serves() == first.deployment_id


async def test_an_app_that_does_not_start_is_told_with_its_last_words_and_without_its_secrets(harness, cloud, recorder):
    spec = await spec_with_secret(harness)
    cloud.outcomes[suffix(spec)] = Outcome(healthy=False, answer=(500, f"cannot log in with {CANARY}"))
    revision = await harness.through(spec, recorder, to="release")
    assert not revision.healthy
    assert "cannot log in with ***" in revision.reason
    with pytest.raises(TerminalError) as refusal:
        await harness.platform.promote(spec, revision, recorder.step)
    assert CANARY not in str(refusal.value)


async def test_the_health_path_has_to_answer_below_400_within_its_time(azure_harness):
    spec = await azure_harness.spec(health_path="/ready", health_seconds=10)
    assert (await azure_harness.through(spec, to="release")).healthy
    missing = await azure_harness.spec(health_path="/ready", health_seconds=1)
    name = f"d{missing.deployment_id.removeprefix('dep_').lower()}"
    azure_harness.cloud.outcomes[name] = Outcome(answer=(404, "not here"))
    revision = await azure_harness.through(missing, to="release")
    assert not revision.healthy
    assert "after 1 s: it answers 404" in revision.reason
