"""How a build is watched to its end."""

import pytest

from local.arm.cloud import Outcome
from shared.deploys.platforms.azure.names import suffix
from shared.platform.errors import TerminalError


async def test_the_last_words_of_a_builder_come_after_its_end_and_are_waited_for(harness, cloud, recorder):
    spec = await harness.spec()
    cloud.outcomes[suffix(spec)] = Outcome(build="Failed", log="Step 1\nStep 2\nno such package\n")
    with pytest.raises(TerminalError):
        await harness.through(spec, recorder, to="build")
    assert "no such package" in recorder.text
    assert recorder.text.count("Step 1") == 1
