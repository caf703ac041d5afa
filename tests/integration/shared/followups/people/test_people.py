"""Clients and tasks belong to one agent; planning, pausing and merging lose nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from shared.followups.keyset import Part
from shared.followups.people import agents, clients, tasks
from shared.followups.people.models import AgentProfile, ClientChange, NewClient, NewTask, TaskChange
from shared.platform.errors import Conflict, InvalidInput, NotFound

SOON = datetime(2027, 1, 5, 12, tzinfo=UTC)


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


async def test_a_client_in_another_time_zone_is_planned_in_its_own_hours(crm):
    agent = await crm.agent(opens="09:00", closes="17:00")
    client = await crm.client(agent, time_zone="Asia/Tokyo")
    task = await tasks.create(agent.id, NewTask(client_id=client.id, scheduled_for=SOON))
    assert task.scheduled_for == datetime(2027, 1, 6, 0, tzinfo=UTC)
    assert (task.planned_for, task.reason) == (SOON, "after-hours")


async def test_another_agent_sees_nothing(crm):
    agent, other = await crm.agent(), await crm.agent("other@example.com")
    client = await crm.client(agent)
    task = await tasks.create(agent.id, NewTask(client_id=client.id, scheduled_for=SOON))
    for step in (
        clients.read(other.id, client.id),
        clients.change(other.id, client.id, ClientChange(name="x")),
        clients.pause(other.id, client.id, paused=True),
        tasks.read(other.id, task.id),
        tasks.change(other.id, task.id, TaskChange(priority="low")),
        tasks.create(other.id, NewTask(client_id=client.id, scheduled_for=SOON)),
    ):
        with pytest.raises(NotFound):
            await step
    assert await clients.delete(other.id, [client.id]) == []
    assert await clients.listed(other.id, Part(limit=10)) == []
    assert await tasks.listed(other.id, Part(limit=10)) == []


async def test_an_address_belongs_to_one_client_of_an_agent(crm):
    agent, other = await crm.agent(), await crm.agent("other@example.com")
    await crm.client(agent)
    second = await crm.client(agent, "bob@example.com")
    await crm.client(other)
    with pytest.raises(Conflict):
        await crm.client(agent, "ANN@example.com")
    with pytest.raises(Conflict):
        await clients.change(agent.id, second.id, ClientChange(email="ann@example.com"))
    with pytest.raises(InvalidInput):
        await clients.change(agent.id, second.id, ClientChange(email=None))


async def test_deleting_a_client_cancels_what_is_planned_and_frees_the_address(crm):
    agent = await crm.agent()
    client = await crm.client(agent, create_tasks=True)
    assert await clients.delete(agent.id, [client.id, client.id + 99]) == [client.id]
    assert await clients.delete(agent.id, [client.id]) == []
    planned = await tasks.listed(agent.id, Part(limit=100))
    assert {(task.status, task.reason) for task in planned} == {("cancelled", "client-deleted")}
    await crm.client(agent)


async def test_merged_clients_are_one_and_no_step_is_there_twice(crm):
    agent = await crm.agent()
    kept = await crm.client(agent, create_tasks=True, name=None, notes="likes gardens")
    other = await crm.client(agent, "ann@work.example", create_tasks=True, phone="1", notes="has a dog")
    extra = await tasks.create(agent.id, NewTask(client_id=other.id, scheduled_for=SOON))
    await crm.execute("update followups.clients set email_unsubscribed = true where id = %s", other.id)
    merged = await clients.merge(agent.id, kept.id, other.id)
    assert (merged.name, merged.phone, merged.email_unsubscribed) == ("Ann Client", "1", True)
    assert merged.notes == "likes gardens\n\nhas a dog"
    pending = await tasks.listed(agent.id, Part(limit=100), status="pending")
    assert sorted(task.followup_type for task in pending) == ["Custom", "Day 1", "Day 3", "Month 1", "Week 1", "Week 2"]
    assert {task.client_id for task in pending} == {kept.id}
    assert (await tasks.read(agent.id, extra.id)).client_id == kept.id
    with pytest.raises(NotFound):
        await clients.read(agent.id, other.id)
    with pytest.raises(InvalidInput):
        await clients.merge(agent.id, kept.id, kept.id)


async def test_only_a_pending_task_can_be_changed(crm):
    agent = await crm.agent()
    client = await crm.client(agent)
    task = await tasks.create(agent.id, NewTask(client_id=client.id, scheduled_for=SOON))
    done = await tasks.change(agent.id, task.id, TaskChange(status="completed"))
    assert done.completed_at
    with pytest.raises(Conflict):
        await tasks.change(agent.id, task.id, TaskChange(status="cancelled"))


async def test_clients_are_found_by_stage_and_words_page_by_page(crm):
    agent = await crm.agent()
    for number in range(5):
        await crm.client(agent, f"c{number}@example.com", stage="lead" if number % 2 else "closed", name=f"N{number}")
    first = await clients.listed(agent.id, Part(limit=3))
    rest = await clients.listed(agent.id, Part(limit=3, behind=first[-1].id))
    assert [one.name for one in first + rest] == [f"N{number}" for number in range(5)]
    assert [one.name for one in await clients.listed(agent.id, Part(limit=9), stage="lead")] == ["N1", "N3"]
    assert [one.name for one in await clients.listed(agent.id, Part(limit=9), search="C4@")] == ["N4"]


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


@pytest.mark.parametrize("field", [{"name": "Ann\r\nBcc: x@y"}, {"email": "ann@example.com\nBcc: x@y"}])
def test_a_line_break_in_a_name_or_address_is_refused(field):
    with pytest.raises(ValidationError):
        NewClient.model_validate({"email": "ann@example.com", **field})
