"""What goes out to an agent's clients today and tomorrow, as it is planned now."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.followups.keyset import BEHIND, Place, parameters
from shared.followups.people.models import ResponseBody
from shared.followups.scheduling.cadence import Priority
from shared.platform.stores.postgres import database, rows

Day = Literal["today", "tomorrow"]

# A day is the agent's, which a change of clocks may make longer or shorter than 24 hours.
_PLANNED = """
from (select id, ((now() at time zone time_zone)::date + 1)::timestamp at time zone time_zone as midnight,
        ((now() at time zone time_zone)::date + 2)::timestamp at time zone time_zone as after_tomorrow
    from followups.agents where id = %(agent)s) me
    join followups.tasks t on t.agent_id = me.id
    join followups.clients c on c.id = t.client_id
    left join followups.emails e on e.task_id = t.id
where t.status = 'pending' and t.channel = 'email' and not c.is_deleted and t.scheduled_for < me.after_tomorrow
"""
_COUNTS = f"""
select count(*) filter (where t.scheduled_for < me.midnight) as due_today,
    count(*) filter (where t.scheduled_for >= me.midnight) as due_tomorrow {_PLANNED}
"""
_LIST = f"""
select t.id as task_id, t.client_id, coalesce(nullif(trim(c.name), ''), c.email) as client, t.followup_type,
    t.priority, t.scheduled_for, e.id as email_id, e.state, coalesce(e.hold_reason, t.reason) as reason,
    case when t.scheduled_for < me.midnight then 'today' else 'tomorrow' end as day
{_PLANNED} and (%(day)s::text is null or (%(day)s = 'today') = (t.scheduled_for < me.midnight))
    and {BEHIND.format("t.scheduled_for, t.id", ">")}
order by t.scheduled_for, t.id limit %(limit)s
"""


class Planned(ResponseBody):
    """A mail that is to go out."""

    task_id: int
    client_id: int
    client: str = Field(description="Name, or address where there is none")
    followup_type: str
    priority: Priority
    scheduled_for: datetime
    day: Day
    email_id: int | None = Field(description="The mail, once it was written")
    state: str | None = Field(description="Of the mail; null: not written yet")
    reason: str | None = Field(description="What holds it, or moved it")

    @property
    def place(self) -> Place:
        """Where it stands in its list."""
        return Place(self.scheduled_for, self.task_id)


class Agenda(ResponseBody):
    """A part of what goes out; what is overdue counts as today's. Days are those of the agent's time zone."""

    due_today: int
    due_tomorrow: int
    data: list[Planned]


async def agenda(agent_id: int, behind: Place | None, limit: int, day: Day | None = None) -> Agenda:
    """What goes out on that day, or on both, behind that place."""
    async with database() as connection:
        [counts] = await rows(connection, _COUNTS, {"agent": agent_id})
        values = {"agent": agent_id, "limit": limit, "day": day, **parameters(behind)}
        planned = await rows(connection, _LIST, values)
    return Agenda(**counts, data=[Planned.model_validate(row) for row in planned])
