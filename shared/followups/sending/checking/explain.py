"""Why a task's mail was not sent, or not yet."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from shared.followups.keyset import BEHIND, Place, parameters
from shared.followups.people.models import ResponseBody, TaskStatus
from shared.followups.people.refusals import unknown_task
from shared.followups.people.suppressions import Suppression
from shared.followups.sending.checking import checks, facts
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_OF_ADDRESS = ("suppressed", "unsubscribed")
WAITING = {"sending": "being-sent", "unknown": "nobody-knows-whether-it-was-handed-over"}


class Explanation(ResponseBody):
    """What keeps a task's mail from being sent."""

    id: int = Field(description="The same as `task_id`, for callers of RealtorOS")
    task_id: int
    client_id: int
    followup_type: str
    status: TaskStatus
    is_due: bool
    sent: bool
    reason: str | None = Field(description="null when it was sent; due-now: the next sweep takes it")
    suppression: Suppression | None = Field(description="Why the client's address gets no mail, if that is the reason")
    until: datetime | None = Field(description="When it may go out, if time alone decides")
    scheduled_for: datetime

    @property
    def place(self) -> Place:
        """Where it stands in its list."""
        return Place(self.scheduled_for, self.task_id)


class Counts(ResponseBody):
    """An agent's tasks at that time."""

    current_time_utc: datetime
    total_tasks: int
    pending_tasks: int
    due_tasks: int


_COUNTS = """
select now() as current_time_utc, count(*) as total_tasks, count(*) filter (where status = 'pending') as pending_tasks,
    count(*) filter (where status = 'pending' and channel = 'email' and scheduled_for <= now()) as due_tasks
from followups.tasks where agent_id = %(agent)s and deleted_at is null
"""


async def explain(agent_id: int, task_id: int) -> Explanation:
    """Why the task's mail was not sent.

    Raises:
        NotFound: there is no such task.
    """
    async with database() as connection:
        row = await facts.read_task(connection, agent_id, task_id)
        if row is None:
            raise unknown_task()
        return await _explained(connection, row)


async def counts(agent_id: int) -> Counts:
    """How many tasks the agent has, pending and due by the database's clock."""
    async with database() as connection:
        [counted] = await rows(connection, _COUNTS, {"agent": agent_id})
    return Counts.model_validate(counted)


async def due(agent_id: int, behind: Place | None, limit: int) -> list[Explanation]:
    """The agent's pending tasks whose time has come, behind that place, the oldest first, each with what keeps it."""
    async with database() as connection:
        due_tasks = await rows(
            connection,
            "select id from followups.tasks where agent_id = %(agent)s and status = 'pending'"  # noqa: S608 - a constant
            " and channel = 'email' and scheduled_for <= now()"
            f" and {BEHIND.format('scheduled_for, id', '>')}"
            " order by scheduled_for, id limit %(limit)s",
            {"agent": agent_id, "limit": limit, **parameters(behind)},
        )
        read = [await facts.read_task(connection, agent_id, row["id"]) for row in due_tasks]
        return [await _explained(connection, row) for row in read if row is not None]


async def _explained(connection: AsyncConnection[Any], row: dict[str, Any]) -> Explanation:
    sent = row["state"] == "sent"
    reason, until = (None, None) if sent else await _reason(connection, row)
    return Explanation(
        id=row["task_id"],
        task_id=row["task_id"],
        client_id=row["client_id"],
        followup_type=row["followup_type"],
        status=row["task_status"],
        is_due=row["task_status"] == "pending" and row["scheduled_for"] <= row["now"],
        sent=sent,
        reason=reason,
        suppression=Suppression.model_validate(row["suppression"])
        if reason in _OF_ADDRESS and row["suppression"]
        else None,
        until=until,
        scheduled_for=row["scheduled_for"],
    )


async def _reason(connection: AsyncConnection[Any], row: dict[str, Any]) -> tuple[str, datetime | None]:
    ended = row["task_status"] != "pending" and (row["task_reason"] or row["task_status"])
    held = row["hold_reason"] if row["state"] == "held" else None
    if reason := ended or held or WAITING.get(row["state"]):
        return reason, None
    verdict = checks.judge(await facts.facts_of(connection, row))
    if isinstance(verdict, checks.Stop | checks.Wait) and verdict.reason != checks.NOT_DUE:
        return verdict.reason, None
    return _timed(row, verdict)


def _timed(row: dict[str, Any], verdict: checks.Verdict) -> tuple[str, datetime | None]:
    """What time alone decides. A mail that needs a person is written first, and held then."""
    if row["scheduled_for"] > row["now"]:
        return row["task_reason"] or "not-yet", row["scheduled_for"]
    if row["state"] == "claimed" and row["leased_until"] > row["now"]:
        return row["error_code"] or "being-written", row["leased_until"]
    return (verdict.reason, verdict.until) if isinstance(verdict, checks.Defer) else ("due-now", None)
