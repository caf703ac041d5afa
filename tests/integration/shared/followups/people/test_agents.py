"""What an agent changes about itself."""

import pytest

from shared.followups.people import agents
from shared.followups.people.models import AgentProfile
from shared.platform.errors import Conflict, InvalidInput


async def test_an_agent_changes_its_hours_and_pauses(crm):
    agent = await crm.agent()
    changed = await agents.change(agent.id, AgentProfile.model_validate({"opens": "08:00", "closes": "12:00"}))
    assert (str(changed.opens), changed.name) == ("08:00:00", agent.name)
    with pytest.raises(InvalidInput):
        await agents.change(agent.id, AgentProfile(name=None))
    paused = await agents.pause(agent.id, paused=True)
    assert (await agents.pause(agent.id, paused=True)).paused_at == paused.paused_at
    assert (await agents.pause(agent.id, paused=False)).paused_at is None
    with pytest.raises(Conflict):
        await crm.agent()
