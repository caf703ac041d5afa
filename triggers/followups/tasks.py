"""Routes of an agent's tasks, and what keeps them."""

from __future__ import annotations

from pydantic import Field

from orchestrators.followups.sending import send_followups
from shared.followups.keyset import Place
from shared.followups.people import tasks
from shared.followups.people.models import Identifier, NewTask, Task, TaskChange, TaskStatus
from shared.followups.reporting import agenda, not_sent
from shared.followups.reporting.agenda import Day, Planned
from shared.followups.reporting.not_sent import NotSent
from shared.followups.sending.checking import explain
from shared.followups.sending.checking.explain import Explanation
from shared.platform.access.auth import Caller
from shared.platform.durable import DurableClient, Nothing
from shared.platform.http import Accepted, Page, Pagination, Routes
from shared.platform.models import LazyModel
from triggers.followups.accounts.guard import AGENT, agent_of
from triggers.followups.lists import Done, MomentPage, NumberedPage, page, timed_page

routes = Routes(tag="tasks", unusable=422)


class TasksQuery(NumberedPage):
    """Which tasks to list."""

    status: TaskStatus | None = None
    client_id: Identifier | None = None


class AgendaQuery(MomentPage):
    """Which of what is planned to list."""

    day: Day | None = Field(default=None, description="Absent: both")


class AgendaPage(LazyModel):
    """A part of what goes out, and how much there is on each day. Derived from Page, it would be built at the start."""

    data: list[Planned]
    pagination: Pagination
    due_today: int = Field(description="With what is overdue; days are those of the agent's time zone")
    due_tomorrow: int


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
async def followups_due_tasks(query: MomentPage, caller: Caller) -> Page[Explanation]:
    found = await explain.due(agent_of(caller), Place.of(query.cursor), query.limit)
    return timed_page(found, query.limit)


@routes.get("/api/tasks/agenda", needs=AGENT, summary="What goes out today and tomorrow")
async def followups_agenda(query: AgendaQuery, caller: Caller) -> AgendaPage:
    found = await agenda.agenda(agent_of(caller), Place.of(query.cursor), query.limit, query.day)
    pagination = timed_page(found.data, query.limit).pagination
    return AgendaPage(
        due_today=found.due_today, due_tomorrow=found.due_tomorrow, data=found.data, pagination=pagination
    )


@routes.get("/api/tasks/not-sent", needs=AGENT, summary="Steps that were not sent, and why")
async def followups_not_sent_tasks(query: MomentPage, caller: Caller) -> Page[NotSent]:
    """Those that were skipped or cancelled, the newest first."""
    return timed_page(await not_sent.listed(agent_of(caller), Place.of(query.cursor), query.limit), query.limit)


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
async def followups_delete_task(task_id: Identifier, caller: Caller) -> Done:
    """It stays on record as cancelled, and its mail is not sent."""
    await tasks.change(agent_of(caller), task_id, TaskChange(status="cancelled"))
    return Done()
