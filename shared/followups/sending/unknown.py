"""The mails of all agents of which nobody knows whether they were handed over: the operator sees and settles them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.followups.people.models import ResponseBody
from shared.followups.sending.mails import MESSAGE_ID
from shared.followups.sending.outbox import lock_task, settle_if_unknown
from shared.followups.steps import Outcome
from shared.platform.errors import Conflict
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


async def resolve(email_id: int, *, handed_over: bool) -> None:
    """Settle a mail by what a person found at the provider: as sent, or for the next sweep to hand over.

    Raises:
        Conflict: it is not unknown, or there is none of this number.
    """
    if handed_over:
        settled = await settle_if_unknown(email_id, Outcome(kind="accepted", provider="a person"))
    else:
        settled = await _send_again(email_id)
    if not settled:
        raise Conflict("The mail is settled, or there is none of this number.", code="not-unknown")


async def _send_again(email_id: int) -> bool:
    """Let the next sweep claim the mail; False if it is not unknown.

    Its text and key stay, and every check comes again. A mail whose task has ended meanwhile is cancelled.
    """
    async with database() as connection:
        await lock_task(connection, email_id)
        released = await connection.execute(
            "update followups.emails e set state = case t.status when 'pending' then 'claimed' else 'cancelled' end,"
            " claim = claim + 1,"
            " leased_until = now(), sending_at = null, told_unknown_at = null,"
            " repeated_at = null, repeat_refused = null, provider = null,"
            " error_code = null, error = null, updated_at = now()"
            " from followups.tasks t where e.id = %s and t.id = e.task_id and e.state = 'unknown'",
            (email_id,),
        )
    return bool(released.rowcount)
