"""Routes of an agent's tasks, and what keeps them."""

from __future__ import annotations

from pydantic import Field

from orchestrators.followups.sending import send_followups
from shared.followups.people import tasks
from shared.followups.people.models import Identifier, NewTask, Task, TaskChange, TaskStatus
from shared.followups.reporting import agenda
from shared.followups.reporting.agenda import Agenda, Day
from shared.followups.sending.checking import explain
from shared.followups.sending.checking.explain import Explanation
from shared.platform.access.auth import Caller
from shared.platform.durable import DurableClient, Nothing
from shared.platform.http import Accepted, Page, Routes
from shared.platform.models import LazyModel
from triggers.followups.accounts.guard import AGENT, agent_of
from triggers.followups.lists import NumberedPage, page

routes = Routes(tag="tasks", unusable=422)


class TasksQuery(NumberedPage):
    """Which tasks to list."""

    status: TaskStatus | None = None
    client_id: Identifier | None = None


class DueQuery(LazyModel, extra="forbid"):
    limit: int = Field(default=50, ge=1, le=100, description="Most tasks")


class AgendaQuery(DueQuery):
    """Which of what is planned to list."""

    day: Day | None = Field(default=None, description="Absent: both")


class DueTasks(LazyModel):
    """Pending tasks whose time has come, the oldest first."""

    data: list[Explanation]


@routes.get("/api/tasks", needs=AGENT, summary="The agent's tasks")
async def followups_list_tasks(query: TasksQuery, caller: Caller) -> Page[Task]:
    found = await tasks.listed(
        agent_of(caller), after=query.cursor or 0, limit=query.limit, status=query.status, client_id=query.client_id
    )
    return page(found, query.limit)


@routes.post("/api/tasks", needs=AGENT, summary="Add a task beside the cadence", status=201)
async def followups_create_task(body: NewTask, caller: Caller) -> Task:
    return await tasks.create(agent_of(caller), body)


@routes.get("/api/tasks/diagnostics/due-tasks", needs=AGENT, summary="What is due, and what keeps it")
async def followups_due_tasks(query: DueQuery, caller: Caller) -> DueTasks:
    return DueTasks(data=await explain.due(agent_of(caller), query.limit))


@routes.get("/api/tasks/agenda", needs=AGENT, summary="What goes out today and tomorrow")
async def followups_agenda(query: AgendaQuery, caller: Caller) -> Agenda:
    return await agenda.agenda(agent_of(caller), query.limit, query.day)


@routes.post("/api/tasks/process-due", needs=AGENT, summary="Send what is due now")
async def followups_process_due(caller: Caller, client: DurableClient) -> Accepted:
    """Starts a sweep beside that of the minute; each mail goes out once all the same."""
    assert agent_of(caller)
    started = await client.start(send_followups, Nothing())
    return Accepted(id=started, location="/api/tasks/diagnostics/due-tasks")


@routes.get("/api/tasks/{task_id}", needs=AGENT, summary="One task")
async def followups_read_task(task_id: Identifier, caller: Caller) -> Task:
    return await tasks.read(agent_of(caller), task_id)


@routes.get("/api/tasks/{task_id}/why", needs=AGENT, summary="Why was this not sent?")
async def followups_explain_task(task_id: Identifier, caller: Caller) -> Explanation:
    return await explain.explain(agent_of(caller), task_id)


@routes.patch("/api/tasks/{task_id}", needs=AGENT, summary="Change a pending task")
async def followups_change_task(task_id: Identifier, body: TaskChange, caller: Caller) -> Task:
    return await tasks.change(agent_of(caller), task_id, body)


@routes.delete("/api/tasks/{task_id}", needs=AGENT, summary="Cancel a pending task")
async def followups_delete_task(task_id: Identifier, caller: Caller) -> None:
    """It stays on record as cancelled, and its mail is not sent."""
    await tasks.change(agent_of(caller), task_id, TaskChange(status="cancelled"))
