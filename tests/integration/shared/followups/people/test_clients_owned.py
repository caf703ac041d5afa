"""A client belongs to one agent; deleting and merging lose nothing."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from shared.followups.keyset import Part
from shared.followups.people import clients, tasks
from shared.followups.people.models import ClientChange, NewClient, NewTask, TaskChange
from shared.platform.errors import Conflict, InvalidInput, NotFound

SOON = datetime(2027, 1, 5, 12, tzinfo=UTC)


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


async def test_clients_are_found_by_stage_and_words_page_by_page(crm):
    agent = await crm.agent()
    for number in range(5):
        await crm.client(agent, f"c{number}@example.com", stage="lead" if number % 2 else "closed", name=f"N{number}")
    first = await clients.listed(agent.id, Part(limit=3))
    rest = await clients.listed(agent.id, Part(limit=3, behind=first[-1].id))
    assert [one.name for one in first + rest] == [f"N{number}" for number in range(5)]
    assert [one.name for one in await clients.listed(agent.id, Part(limit=9), stage="lead")] == ["N1", "N3"]
    assert [one.name for one in await clients.listed(agent.id, Part(limit=9), search="C4@")] == ["N4"]


@pytest.mark.parametrize("field", [{"name": "Ann\r\nBcc: x@y"}, {"email": "ann@example.com\nBcc: x@y"}])
def test_a_line_break_in_a_name_or_address_is_refused(field):
    with pytest.raises(ValidationError):
        NewClient.model_validate({"email": "ann@example.com", **field})
