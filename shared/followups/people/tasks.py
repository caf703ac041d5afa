"""Tasks: what is to be sent to whom, and when. A step of the cadence, or one that the agent added."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from shared.followups.people import cadences
from shared.followups.people.models import Client, NewTask, Task, TaskChange, TaskStatus, calendar_of
from shared.followups.people.refusals import task_ended, unknown_client, unknown_task
from shared.followups.scheduling.cadence import CUSTOM, plan
from shared.followups.scheduling.calendar import next_open
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import AsyncConnection

    from shared.followups.keyset import Part
    from shared.followups.scheduling.calendar import Calendar

_OF_ITS_MAIL = {
    "email_sent_id": "(select id from followups.emails where task_id = tasks.id and state = 'sent') as email_sent_id",
    "email_preview": "coalesce((select jsonb_build_object('subject', subject, 'body', body) from followups.emails"
    " where task_id = tasks.id and composed_at is not null), draft) as email_preview",
}
_SHOWN = "agent_id = %(agent)s and deleted_at is null"
_COLUMNS = ", ".join(_OF_ITS_MAIL.get(name, name) for name in Task.model_fields)
CALENDAR = ", ".join(
    f"coalesce(c.{name}, a.{name}) as {name}" for name in ("time_zone", "working_days", "opens", "closes", "country")
)
"""The columns of a client's calendar, where c is the client and a its agent."""

_INSERT = f"""
insert into followups.tasks
    (agent_id, client_id, followup_type, scheduled_for, planned_for, priority, notes, reason)
values (%(agent)s, %(client)s, %(type)s, %(at)s, %(planned)s, %(priority)s, %(notes)s, %(reason)s)
on conflict (client_id, followup_type) where followup_type <> '{CUSTOM}' do nothing
"""  # noqa: S608 - a constant


async def plan_cadence(connection: AsyncConnection[Any], agent_id: int, clients: Sequence[Client]) -> None:
    """Plan the steps of the agent's cadence for clients from the day they were entered; a step that is there stays."""
    if not clients:
        return
    steps = await cadences.steps_of(connection, agent_id)
    calendars = await _calendars(connection, agent_id, [client.id for client in clients])
    entries = [
        {
            "agent": agent_id,
            "client": client.id,
            "type": planned.step.followup_type,
            "at": planned.opening.at,
            "planned": planned.planned,
            "priority": planned.step.priority,
            "notes": None,
            "reason": planned.opening.reason,
        }
        for client in clients
        for planned in plan(steps, client.created_at, calendars[client.id])
    ]
    await connection.cursor().executemany(_INSERT, entries)


async def create(agent_id: int, new: NewTask) -> Task:
    """Add a task; its moment is moved into the client's hours.

    Raises:
        NotFound: the client is not the agent's.
        Conflict: the client has that step of the cadence already.
    """
    async with database() as connection:
        opening = next_open(new.scheduled_for, await _calendar(connection, agent_id, new.client_id))
        values = {"agent": agent_id, "client": new.client_id, "type": new.followup_type, "at": opening.at}
        values |= {"planned": new.scheduled_for, "priority": new.priority, "notes": new.notes, "reason": opening.reason}
        made = await rows(connection, f"{_INSERT} returning {_COLUMNS}", values)
    if not made:
        raise Conflict(
            f"The client has or had a {new.followup_type}.",
            code="step-taken",
            remedy="Change that task, or add a Custom one.",
        )
    return _task_of(made)


async def read(agent_id: int, task_id: int) -> Task:
    """The agent's task.

    Raises:
        NotFound: there is none, or it is another agent's.
    """
    async with database() as connection:
        return _task_of(
            await rows(
                connection,
                f"select {_COLUMNS} from followups.tasks where {_SHOWN} and id = %(id)s",  # noqa: S608 - as above
                {"agent": agent_id, "id": task_id},
            )
        )


async def listed(
    agent_id: int,
    part: Part,
    *,
    status: TaskStatus | None = None,
    client_id: int | None = None,
    channel: Literal["email", "agent"] | None = None,
) -> list[Task]:
    """That part of the agent's tasks, in the order of their numbers."""
    async with database() as connection:
        tasks = await rows(
            connection,
            f"select {_COLUMNS} from followups.tasks where {_SHOWN} and id > coalesce(%(behind)s::bigint, 0)"  # noqa: S608 - as above
            " and (%(status)s::text is null or status = %(status)s)"
            " and (%(client)s::bigint is null or client_id = %(client)s)"
            " and (%(channel)s::text is null or channel = %(channel)s) order by id limit %(limit)s offset %(skip)s",
            {"agent": agent_id, "status": status, "client": client_id, "channel": channel, **asdict(part)},
        )
    return [Task.model_validate(row) for row in tasks]


async def change(agent_id: int, task_id: int, changed: TaskChange) -> Task:
    """Change a task. A new moment is moved into the client's hours.

    Raises:
        NotFound: there is no such task.
        Conflict: it is not pending any more, and more than notes, priority or draft is to be changed.
    """
    fields = changed.model_dump(exclude_unset=True)
    async with database() as connection:
        locked = await rows(
            connection,
            f"select client_id, status from followups.tasks where {_SHOWN} and id = %(id)s for update",  # noqa: S608 - as above
            {"agent": agent_id, "id": task_id},
        )
        if not locked:
            raise unknown_task()
        ends = changed.status if changed.status != locked[0]["status"] else None
        if locked[0]["status"] != "pending" and (ends or changed.scheduled_for):
            raise task_ended(locked[0]["status"])
        sets: dict[str, Any] = {"status": ends} if ends else {}
        if "email_preview" in fields:
            sets["draft"] = changed.email_preview and changed.email_preview.model_dump_json()
        if changed.priority:
            sets["priority"] = changed.priority
        if "notes" in fields:
            sets["notes"] = fields["notes"]
        if changed.scheduled_for:
            calendar = await _calendar(connection, agent_id, locked[0]["client_id"])
            opening = next_open(changed.scheduled_for, calendar)
            sets |= {"scheduled_for": opening.at, "planned_for": changed.scheduled_for, "reason": opening.reason}
        if ends:
            sets["reason"] = "by-the-agent"
        assigned = ", ".join([*(f"{column} = %({column})s" for column in sets), "updated_at = now()"])
        completed = ", completed_at = now()" if ends == "completed" else ""
        return _task_of(
            await rows(
                connection,
                f"update followups.tasks set {assigned}{completed} where id = %(id)s returning {_COLUMNS}",  # noqa: S608 - as above
                {**sets, "id": task_id},
            )
        )


async def delete(agent_id: int, task_id: int) -> None:
    """Show a task no more, nor its mail unless nobody knows yet what became of it; what waits is not sent.

    Raises:
        NotFound: there is no such task.
    """
    async with database() as connection:
        hidden = await connection.execute(
            f"update followups.tasks set deleted_at = now() where {_SHOWN} and id = %(id)s",  # noqa: S608 - as above
            {"agent": agent_id, "id": task_id},
        )
        if not hidden.rowcount:
            raise unknown_task()
        await end(connection, task_id, "cancelled", "by-the-agent")
        await connection.execute(
            "update followups.emails set deleted_at = now() where task_id = %s and state not in ('sending', 'unknown')",
            (task_id,),
        )


async def move(connection: AsyncConnection[Any], task_id: int, to: datetime, reason: str) -> None:
    """Put a pending task off."""
    await connection.execute(
        "update followups.tasks set scheduled_for = %s, reason = %s, updated_at = now()"
        " where id = %s and status = 'pending'",
        (to, reason, task_id),
    )


async def end(
    connection: AsyncConnection[Any],
    task_id: int,
    status: Literal["completed", "skipped", "cancelled"],
    reason: str | None,
) -> None:
    """End a pending task. What was handed over is completed, also if its task was cancelled while nobody knew."""
    await connection.execute(
        "update followups.tasks set status = %(status)s, reason = %(reason)s, updated_at = now(),"
        " completed_at = case when %(status)s = 'completed' then now() end"
        " where id = %(id)s and (status = 'pending' or %(status)s = 'completed' and status <> 'completed')",
        {"status": status, "reason": reason, "id": task_id},
    )


async def end_pending(
    connection: AsyncConnection[Any],
    client_ids: Sequence[int],
    status: Literal["skipped", "cancelled"],
    reason: str,
    *,
    mails_only: bool = False,
) -> None:
    """End all pending tasks of these clients, or only the mails: what the agent itself has to do goes on."""
    await connection.execute(
        "update followups.tasks set status = %s, reason = %s, updated_at = now()"
        " where client_id = any(%s) and status = 'pending' and (channel = 'email' or not %s)",
        (status, reason, list(client_ids), mails_only),
    )


async def end_repeated(connection: AsyncConnection[Any], client_id: int, other_id: int) -> None:
    """End the client's pending steps of the cadence that were, or may have been, sent to its other entry."""
    await connection.execute(
        "update followups.tasks t set status = 'skipped', reason = 'client-merged', updated_at = now()"
        " where t.client_id = %s and t.status = 'pending' and t.followup_type <> %s and exists (select from"
        " followups.tasks o join followups.emails e on e.task_id = o.id where o.client_id = %s"
        " and o.followup_type = t.followup_type and e.state in ('sending', 'sent', 'unknown'))",
        (client_id, CUSTOM, other_id),
    )


async def end_answered(connection: AsyncConnection[Any], client_id: int, other_id: int) -> None:
    """End the client's pending mails that were planned before one of the two entries answered."""
    await connection.execute(
        "update followups.tasks t set status = 'skipped', reason = 'replied', updated_at = now()"
        " where t.client_id = %(client)s and t.status = 'pending' and t.channel = 'email' and t.created_at <"
        " (select max(received_at) from followups.replies where client_id in (%(client)s, %(other)s))",
        {"client": client_id, "other": other_id},
    )


async def _calendar(connection: AsyncConnection[Any], agent_id: int, client_id: int) -> Calendar:
    calendars = await _calendars(connection, agent_id, [client_id])
    if not calendars:
        raise unknown_client()
    return calendars[client_id]


async def _calendars(connection: AsyncConnection[Any], agent_id: int, client_ids: Sequence[int]) -> dict[int, Calendar]:
    clients = await rows(
        connection,
        f"select c.id, {CALENDAR} from followups.clients c join followups.agents a on a.id = c.agent_id"  # noqa: S608 - as above
        " where c.agent_id = %s and c.id = any(%s) and not c.is_deleted",
        (agent_id, list(client_ids)),
    )
    return {row["id"]: calendar_of(row) for row in clients}


def _task_of(tasks: list[dict[str, Any]]) -> Task:
    if not tasks:
        raise unknown_task()
    return Task.model_validate(tasks[0])
