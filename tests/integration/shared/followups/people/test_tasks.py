"""Tasks are moved into a client's hours, and an ended one is not changed."""

from datetime import UTC, datetime

import pytest

from shared.followups.people import tasks
from shared.followups.people.models import NewTask, TaskChange
from shared.platform.errors import Conflict

SOON = datetime(2027, 1, 5, 12, tzinfo=UTC)


async def test_a_client_in_another_time_zone_is_planned_in_its_own_hours(crm):
    agent = await crm.agent(opens="09:00", closes="17:00")
    client = await crm.client(agent, time_zone="Asia/Tokyo")
    task = await tasks.create(agent.id, NewTask(client_id=client.id, scheduled_for=SOON))
    assert task.scheduled_for == datetime(2027, 1, 6, 0, tzinfo=UTC)
    assert (task.planned_for, task.reason) == (SOON, "after-hours")


async def test_only_a_pending_task_can_be_changed(crm):
    agent = await crm.agent()
    client = await crm.client(agent)
    task = await tasks.create(agent.id, NewTask(client_id=client.id, scheduled_for=SOON))
    done = await tasks.change(agent.id, task.id, TaskChange(status="completed"))
    assert done.completed_at
    with pytest.raises(Conflict):
        await tasks.change(agent.id, task.id, TaskChange(status="cancelled"))
