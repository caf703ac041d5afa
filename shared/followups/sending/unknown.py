"""The mails of all agents of which nobody knows whether they were handed over, for the operator."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.followups.people.models import ResponseBody
from shared.followups.sending.mails import MESSAGE_ID
from shared.platform.stores.postgres import database, rows


class UnknownMail(ResponseBody):
    """One that the provider cannot tell of; what was not handed over goes out when a person says so."""

    id: int
    agent: str
    recipient: str
    subject: str
    provider: str | None
    message_id: str = Field(description="What to look for at the provider or in the relay's log")
    sending_at: datetime
    error_code: str | None
    error_message: str | None
    repeat_refused: str | None = Field(
        description="What spoke at the last look against asking the provider by the same request"
    )


async def listed(*, after: int, limit: int) -> list[UnknownMail]:
    """Those behind that number, in the order of their numbers."""
    async with database() as connection:
        unknown = await rows(
            connection,
            "select e.id, a.email as agent, e.recipient, e.subject, e.provider, e.sending_at, e.error_code,"  # noqa: S608 - a constant
            " e.repeat_refused, e.error as error_message,"
            f" {MESSAGE_ID} as message_id"
            " from followups.emails e join followups.agents a on a.id = e.agent_id"
            " where e.state = 'unknown' and e.id > %s order by e.id limit %s",
            (after, limit),
        )
    return [UnknownMail.model_validate(row) for row in unknown]
