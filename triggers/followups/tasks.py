"""Routes of an agent's tasks, and what keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import azure.functions as func
from pydantic import Field

from orchestrators.followups.sending import send_followups
from shared.followups.keyset import Place
from shared.followups.people import tasks
from shared.followups.people.models import Identifier, NewTask, Task, TaskChange, TaskStatus
from shared.followups.reporting import agenda, not_sent
from shared.followups.reporting.agenda import Day, Planned
from shared.followups.reporting.not_sent import NotSent
from shared.followups.sending import claims
from shared.followups.sending.checking import explain
from shared.followups.sending.checking.explain import Explanation
from shared.platform.access.auth import Caller
from shared.platform.durable import DurableClient, Nothing
from shared.platform.http import Page, Pagination, Reply, Routes
from shared.platform.models import LazyModel
from triggers.followups.accounts.guard import AGENT, agent_of
from triggers.followups.lists import (
    BulkDeleted,
    BulkIds,
    CountedPage,
    Done,
    MomentPage,
    delete_each,
    linked,
    timed_page,
)
from triggers.followups.upkeep import SWEEP

routes = Routes(tag="tasks", unusable=422)


class TasksQuery(CountedPage):
    """Which tasks to list."""

    status: TaskStatus | None = None
    client_id: Identifier | None = None
    channel: Literal["email", "agent"] | None = Field(default=None, description="agent: what a person has to do")


class AgendaQuery(MomentPage):
    """Which of what is planned to list."""

    day: Day | None = Field(default=None, description="Absent: both")


class AgendaPage(LazyModel):
    """A part of what goes out, and how much there is on each day. Derived from Page, it would be built at the start."""

    data: list[Planned]
    pagination: Pagination
    due_today: int = Field(description="With what is overdue; days are those of the agent's time zone")
    due_tomorrow: int


class DueQuery(MomentPage):
    limit: int = Field(default=10, ge=1, le=100, description="Most details of one page")


class DueTasks(LazyModel):
    """How many tasks are due, and what keeps each of them; the details come page by page."""

    current_time_utc: datetime
    total_tasks: int
    pending_tasks: int
    due_tasks: int = Field(description="Mails whose time has come, whatever keeps them")
    due_tasks_details: list[Explanation]
    scheduler_status: str = "See /health/scheduler"
    pagination: Pagination


class Processing(LazyModel):
    """A sweep is at work; what it does shows in the tasks."""

    message: str
    count: int = Field(description="How many of the agent's tasks are due; a check may keep some")
    due_tasks_found: int
    current_time: datetime
    id: str = Field(description="Of the sweep")
    location: str = "/api/tasks/diagnostics/due-tasks"


@routes.get("/api/tasks", needs=AGENT, summary="The agent's tasks")
async def followups_list_tasks(query: TasksQuery, caller: Caller, request: func.HttpRequest) -> Reply[list[Task]]:
    listed = await tasks.listed(
        agent_of(caller), query.part, status=query.status, client_id=query.client_id, channel=query.channel
    )
    return linked(listed, query.limit, request, followups_list_tasks.__name__)


@routes.post("/api/tasks", needs=AGENT, summary="Add a task beside the cadence")
async def followups_create_task(body: NewTask, caller: Caller) -> Task:
    return await tasks.create(agent_of(caller), body)


@routes.get("/api/tasks/diagnostics/due-tasks", needs=AGENT, summary="What is due, and what keeps it")
async def followups_due_tasks(query: DueQuery, caller: Caller) -> DueTasks:
    explanations = await explain.due(agent_of(caller), Place.of(query.cursor), query.limit)
    counts = await explain.counts(agent_of(caller))
    pagination = timed_page(explanations, query.limit).pagination
    return DueTasks(**counts.model_dump(), due_tasks_details=explanations, pagination=pagination)


@routes.get("/api/tasks/agenda", needs=AGENT, summary="What goes out today and tomorrow")
async def followups_agenda(query: AgendaQuery, caller: Caller) -> AgendaPage:
    planned = await agenda.agenda(agent_of(caller), Place.of(query.cursor), query.limit, query.day)
    pagination = timed_page(planned.data, query.limit).pagination
    return AgendaPage(
        due_today=planned.due_today, due_tomorrow=planned.due_tomorrow, data=planned.data, pagination=pagination
    )


@routes.get("/api/tasks/not-sent", needs=AGENT, summary="Steps that were not sent, and why")
async def followups_not_sent_tasks(query: MomentPage, caller: Caller) -> Page[NotSent]:
    """Those that were skipped or cancelled, the newest first."""
    return timed_page(await not_sent.listed(agent_of(caller), Place.of(query.cursor), query.limit), query.limit)


@routes.post("/api/tasks/process-due", needs=AGENT, summary="Send what is due now")
async def followups_process_due(caller: Caller, client: DurableClient) -> Processing:
    """Starts the sweep of the minute now, for the mails of all agents, unless nothing is due or it is at work."""
    counts = await explain.counts(agent_of(caller))
    started = SWEEP
    if await claims.anything_due():
        await client.start_if_idle(send_followups, Nothing(), instance_id=SWEEP)
    return Processing(
        message=f"A sweep was started for {counts.due_tasks} due task(s)" if counts.due_tasks else "No due tasks found",
        count=counts.due_tasks,
        due_tasks_found=counts.due_tasks,
        current_time=counts.current_time_utc,
        id=started,
    )


# Its name comes before that of the route of one task, which takes every word for a number.
@routes.delete("/api/tasks/bulk", needs=AGENT, summary="Delete several tasks")
async def followups_bulk_delete_tasks(body: BulkIds, caller: Caller) -> BulkDeleted:
    agent_id = agent_of(caller)
    return await delete_each(body.ids, lambda task_id: tasks.delete(agent_id, task_id))


@routes.get("/api/tasks/{task_id}", needs=AGENT, summary="One task")
async def followups_read_task(task_id: Identifier, caller: Caller) -> Task:
    return await tasks.read(agent_of(caller), task_id)


@routes.get("/api/tasks/{task_id}/why", needs=AGENT, summary="Why was this not sent?")
async def followups_explain_task(task_id: Identifier, caller: Caller) -> Explanation:
    return await explain.explain(agent_of(caller), task_id)


@routes.patch("/api/tasks/{task_id}", needs=AGENT, summary="Change a task")
async def followups_change_task(task_id: Identifier, body: TaskChange, caller: Caller) -> Task:
    return await tasks.change(agent_of(caller), task_id, body)


@routes.delete("/api/tasks/{task_id}", needs=AGENT, summary="Delete a task, and cancel it if it is pending")
async def followups_delete_task(task_id: Identifier, caller: Caller) -> Done:
    """It is shown no more. Its row stays, cancelled if it was pending: no step is sent twice."""
    await tasks.delete(agent_of(caller), task_id)
    return Done()
