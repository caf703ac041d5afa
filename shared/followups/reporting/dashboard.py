"""An agent's figures, counted from rows when they are looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.followups.keyset import BEHIND, Place, parameters
from shared.followups.people.models import ACTIVE_STAGES, ResponseBody
from shared.followups.people.refusals import unknown_agent
from shared.followups.sending.mails import STATUS
from shared.platform.stores.postgres import database, rows

_STATS = """
with me as (
    select id, date_trunc('day', now(), time_zone) as today, date_trunc('week', now(), time_zone) as week
    from followups.agents where id = %(agent)s
), c as (
    select count(*) as clients,
        count(*) filter (where stage = any(%(active)s)) as active,
        count(*) filter (where stage = 'closed') as closed
    from followups.clients where agent_id = %(agent)s and not is_deleted
), t as (
    select count(*) filter (where status = 'pending') as pending, count(*) filter (where status = 'completed') as done
    from followups.tasks where agent_id = %(agent)s
), e as (
    select count(*) filter (where sent_at >= me.today) as today, count(*) filter (where sent_at >= me.week) as week,
        count(*) filter (where state = 'held') as held, count(*) filter (where state = 'unknown') as unknown,
        count(*) filter (where state = 'failed') as failed,
        count(*) filter (where state = 'sent') as sent,
        count(*) filter (where delivery in ('bounced', 'complained')) as bounced,
        count(*) filter (where engagement <> 'none') as opened,
        count(*) filter (where engagement <> 'none' or machine_opens > 0) as opened_at_most,
        count(*) filter (where engagement = 'clicked') as clicked,
        count(*) filter (where engagement = 'clicked' or machine_clicks > 0) as clicked_at_most
    from me left join followups.emails on agent_id = me.id group by me.id
)
select c.clients as total_clients, c.active as active_clients, t.pending as pending_tasks, t.done as completed_tasks,
    e.today as emails_sent_today, e.week as emails_sent_this_week, e.held as emails_held, e.unknown as emails_unknown,
    e.failed as emails_failed, e.bounced as emails_bounced,
    coalesce(round(100.0 * e.opened / nullif(e.sent, 0), 1), 0)::float as open_rate,
    coalesce(round(100.0 * e.opened_at_most / nullif(e.sent, 0), 1), 0)::float as open_rate_at_most,
    coalesce(round(100.0 * e.clicked / nullif(e.sent, 0), 1), 0)::float as click_rate,
    coalesce(round(100.0 * e.clicked_at_most / nullif(e.sent, 0), 1), 0)::float as click_rate_at_most,
    case when c.clients = 0 then 0 else round(100.0 * c.closed / c.clients, 1)::float end as conversion_rate
from c, t, e
"""

_NEWEST = f"where {BEHIND.format('at, number', '<')} order by at desc, number desc limit %(limit)s"
# The number tells events of one moment apart, and each table's from those of the others.
_ACTIVITY = f"""
select * from (
    (select * from (select 'client' as type, 'client-created' as kind, created_at as at, id * 3 as number,
        id as client_id, null::bigint as task_id, coalesce(nullif(name, ''), email) as text, 'created' as status
    from followups.clients where agent_id = %(agent)s) c {_NEWEST})
    union all
    (select * from (select 'email', 'email-' || state, coalesce(sent_at, updated_at) as at, id * 3 + 1 as number,
        client_id, task_id, coalesce(subject, ''), {STATUS}
    from followups.emails where agent_id = %(agent)s and state in ('sent', 'failed', 'held', 'unknown')
        and deleted_at is null) e {_NEWEST})
    union all
    (select * from (select 'task', 'task-' || status, updated_at as at, id * 3 + 2 as number, client_id, id,
        concat_ws(': ', followup_type, reason), status
    from followups.tasks where agent_id = %(agent)s and status in ('skipped', 'cancelled')
        and deleted_at is null) t {_NEWEST})
) as happened order by at desc, number desc limit %(limit)s
"""  # noqa: S608 - constants of these modules
_WITH_CLIENTS = f"""
select h.*, h.text as subject, c.email as "to", coalesce(nullif(trim(c.name), ''), c.email) as client_name
from ({_ACTIVITY}) h join followups.clients c on c.id = h.client_id order by h.at desc, h.number desc
"""  # noqa: S608 - as above


class Stats(ResponseBody):
    """Days and weeks are those of the agent's time zone; a week begins on Monday."""

    total_clients: int
    active_clients: int = Field(description="Lead, negotiating or under contract")
    pending_tasks: int
    completed_tasks: int
    emails_sent_today: int
    emails_sent_this_week: int
    emails_held: int = Field(description="Waiting for the agent")
    emails_unknown: int = Field(description="Nobody knows whether they were handed over")
    emails_failed: int
    emails_bounced: int
    open_rate: float = Field(description="Per cent of the mails that were sent, without opens that were machines'")
    open_rate_at_most: float = Field(description="With those: the truth lies between")
    click_rate: float
    click_rate_at_most: float
    conversion_rate: float = Field(description="Per cent of all clients that are closed")


class Event(ResponseBody):
    """Something that happened to a client. Of a mail, `subject`, `to` and `status` are its own."""

    id: str
    type: Literal["client", "email", "task"]
    subject: str
    to: str
    status: str
    client_name: str = Field(description="Name, or address where there is none")
    kind: Literal[
        "client-created", "email-sent", "email-failed", "email-held", "email-unknown", "task-skipped", "task-cancelled"
    ]
    at: datetime
    client_id: int
    task_id: int | None
    text: str


async def stats(agent_id: int) -> Stats:
    """The agent's figures now.

    Raises:
        NotFound: there is no such agent.
    """
    async with database() as connection:
        figures = await rows(connection, _STATS, {"agent": agent_id, "active": list(ACTIVE_STAGES)})
    if not figures:
        raise unknown_agent()
    return Stats.model_validate(figures[0])


async def recent_activity(agent_id: int, behind: Place | None, limit: int) -> list[Event]:
    """What happened last, behind that place, the newest first."""
    async with database() as connection:
        happened = await rows(connection, _WITH_CLIENTS, {"agent": agent_id, "limit": limit, **parameters(behind)})
    return [Event.model_validate({**row, "id": Place(row["at"], row["number"]).cursor}) for row in happened]
