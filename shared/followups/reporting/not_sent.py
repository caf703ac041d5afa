"""The steps that were not sent and will not be, each with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.followups.keyset import BEHIND, Place, parameters
from shared.followups.people.models import ResponseBody
from shared.platform.stores.postgres import database, rows

_ENDED = f"""
select t.id as task_id, t.client_id, coalesce(nullif(trim(c.name), ''), c.email) as client, t.followup_type,
    t.scheduled_for, t.status, coalesce(t.reason, t.status) as reason, e.id as email_id, e.error_code,
    t.updated_at as ended_at
from followups.tasks t
    join followups.clients c on c.id = t.client_id
    left join followups.emails e on e.task_id = t.id
where t.agent_id = %(agent)s and t.channel = 'email' and t.status in ('skipped', 'cancelled')
    and t.deleted_at is null
    and {BEHIND.format("t.updated_at, t.id", "<")}
order by t.updated_at desc, t.id desc limit %(limit)s
"""  # noqa: S608 - a constant of the keyset


class NotSent(ResponseBody):
    """A step that has ended without a mail."""

    task_id: int
    client_id: int
    client: str = Field(description="Name, or address where there is none")
    followup_type: str
    scheduled_for: datetime
    status: Literal["skipped", "cancelled"]
    reason: str
    email_id: int | None = Field(description="Its mail, where one was written")
    error_code: str | None = Field(description="What the provider said, where it refused the mail")
    ended_at: datetime

    @property
    def place(self) -> Place:
        """Where it stands in its list."""
        return Place(self.ended_at, self.task_id)


async def listed(agent_id: int, behind: Place | None, limit: int) -> list[NotSent]:
    """Those of the agent behind that place, the newest first."""
    async with database() as connection:
        ended = await rows(connection, _ENDED, {"agent": agent_id, "limit": limit, **parameters(behind)})
    return [NotSent.model_validate(row) for row in ended]
