"""Whose cadence a new client gets."""

from datetime import timedelta

from shared.followups.keyset import Part
from shared.followups.people import tasks


async def test_a_new_client_has_the_five_steps_of_the_cadence(crm):
    agent = await crm.agent()
    client = await crm.client(agent, create_tasks=True)
    planned = await tasks.listed(agent.id, Part(limit=100))
    assert [(task.followup_type, task.priority) for task in planned] == [
        ("Day 1", "high"), ("Day 3", "medium"), ("Week 1", "medium"), ("Week 2", "low"), ("Month 1", "low")
    ]  # fmt: skip
    assert [task.scheduled_for - client.created_at for task in planned] == [
        timedelta(days=days) for days in (1, 3, 7, 14, 30)
    ]


async def test_an_agents_own_cadence_takes_the_place_of_everybodys(crm):
    agent, other = await crm.agent(), await crm.agent("other@example.com")
    await crm.execute(
        "insert into followups.cadence_steps (agent_id, followup_type, days, priority)"
        " values (%s, 'Week 6', 42, 'low')",
        agent.id,
    )
    await crm.client(agent, create_tasks=True)
    await crm.client(other, create_tasks=True)
    assert [task.followup_type for task in await tasks.listed(agent.id, Part(limit=9))] == ["Week 6"]
    assert len(await tasks.listed(other.id, Part(limit=9))) == 5
