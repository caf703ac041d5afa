"""Reads what is known of a mail, for the checks, the writer and the message."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from shared.followups.people.models import calendar_of
from shared.followups.people.tasks import CALENDAR
from shared.followups.scheduling.calendar import local_instant
from shared.followups.sending.checking.checks import Facts
from shared.followups.settings import settings
from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_READ = f"""
select e.*, t.id as task_id, t.agent_id, t.client_id, {CALENDAR}, now() as now, t.status as task_status,
    t.reason as task_reason, t.followup_type, t.notes as task_notes,
    t.scheduled_for, c.name as client_name, c.email as client_email, c.property_address, c.property_type, c.stage,
    c.notes as client_notes, c.is_deleted as client_deleted, c.paused_at as client_paused, c.email_unsubscribed,
    a.name as agent_name, a.email as agent_email, a.phone as agent_phone, a.title as agent_title, a.company,
    a.is_active, a.paused_at as agent_paused,
    a.postal_address, a.send_mode, a.daily_cap, a.time_zone as agent_time_zone,
    (select stopped_at from followups.scheduler) as stopped_at,
    (select cardinality(domain_problems) > 0 from followups.scheduler) as domain_refused,
    (select jsonb_build_object('address', s.address, 'scope', s.scope, 'reason', s.reason, 'created_at', s.created_at)
        from followups.suppressions s where s.address = c.email) as suppression,
    e.first_sending_at is not null and e.recipient <> c.email as address_changed,
    exists (select from followups.suppressions s where s.address = c.email and not (s.scope = 'cadence'
        and s.reason <> 'complaint' and exists (select from followups.allowed_again w
            where w.agent_id = a.id and w.address = s.address and w.decided_at > s.created_at))) as suppressed
from followups.tasks t
    join followups.clients c on c.id = t.client_id
    join followups.agents a on a.id = t.agent_id
    left join followups.emails e on e.task_id = t.id
"""  # noqa: S608 - the names are the calendar's

_HANDED_OVER = """
select count(*) filter (where coalesce(repeated_at, sending_at) >= %(midnight)s and id is distinct from %(own)s)
    as today, min(sending_at) as first
from followups.emails where agent_id = %(agent)s and sending_at is not null
    and state in ('sending', 'sent', 'unknown')
"""


async def read(connection: AsyncConnection[Any], email_id: int) -> dict[str, Any] | None:
    """The mail with all that is known of its task, client and agent; None if there is no such mail."""
    mails = await rows(connection, f"{_READ} where e.id = %s", (email_id,))
    return mails[0] if mails else None


async def read_task(connection: AsyncConnection[Any], agent_id: int, task_id: int) -> dict[str, Any] | None:
    """The same of a task, whose mail may not be there yet; None if the agent has no such task."""
    tasks = await rows(
        connection, f"{_READ} where t.agent_id = %s and t.id = %s and t.deleted_at is null", (agent_id, task_id)
    )
    return tasks[0] if tasks else None


async def facts_of(connection: AsyncConnection[Any], row: dict[str, Any]) -> Facts:
    """What the checks look at, of a row that `read` gave."""
    zone = ZoneInfo(row["agent_time_zone"])
    midnight = local_instant(row["now"].astimezone(zone).date(), time(), zone)
    [counted] = await rows(connection, _HANDED_OVER, {"agent": row["agent_id"], "midnight": midnight, "own": row["id"]})
    return Facts(
        now=row["now"],
        scheduled_for=row["scheduled_for"],
        address_changed=row["address_changed"] or False,
        calendar=calendar_of(row),
        agent_time_zone=row["agent_time_zone"],
        task_status=row["task_status"],
        stage=row["stage"],
        client_deleted=row["client_deleted"],
        client_paused=row["client_paused"] is not None,
        unsubscribed=row["email_unsubscribed"],
        suppressed=row["suppressed"],
        agent_active=row["is_active"],
        agent_paused=row["agent_paused"] is not None,
        everything_stopped=row["stopped_at"] is not None,
        domain_refused=row["domain_refused"],
        needs_approval=row["send_mode"] == "approve",
        approved=row["approved_at"] is not None,
        postal_address=row["postal_address"],
        public_url=row["public_url"] or settings().followups_public_url,
        handed_over_today=counted["today"],
        daily_cap=row["daily_cap"],
        first_sent=counted["first"],
        warm_up=settings().followups_warm_up,
    )
