"""The mails, as their agent sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from shared.followups.people.models import Stored
from shared.platform.errors import NotFound
from shared.platform.stores.postgres import database, rows

State = Literal["claimed", "held", "sending", "sent", "failed", "unknown", "cancelled"]
Status = Literal["queued", "sent", "failed", "delivered", "bounced", "opened", "clicked"]
STATUS: dict[State, Status] = {"failed": "failed", "cancelled": "failed"}
_COLUMNS = (
    "id, agent_id, task_id, client_id, sender, recipient, subject, body, footer, state, hold_reason, provider,"
    " '<' || message_key || '@' || split_part(sender, '@', 2) || '>' as message_id,"
    " provider_id as provider_message_id, sent_at, error_code, error as error_message, attempts as retry_count,"
    " delivery, engagement, opened_at, clicked_at, approved_at, created_at, updated_at,"
    " coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'happened_at', happened_at, 'detail', detail)"
    " order by happened_at) from followups.provider_events where email_id = emails.id), '[]') as webhook_events"
)


class MailEvent(Stored):
    """What the provider told of a mail."""

    kind: str
    happened_at: datetime
    detail: str


class Email(Stored):
    """A mail. `status` is the coarse one, `state` what it is in exactly."""

    id: int
    agent_id: int
    task_id: int
    client_id: int
    sender: str | None = Field(serialization_alias="from")
    recipient: str | None = Field(serialization_alias="to")
    subject: str | None
    body: str | None
    footer: str | None = Field(description="Stands under the body: who writes, from where and why")
    message_id: str | None = Field(description="Of its header; null: not written yet")
    status: Status
    state: State
    hold_reason: str | None = Field(description="What keeps it from being sent")
    provider: str | None
    provider_message_id: str | None
    sent_at: datetime | None
    error_code: str | None
    error_message: str | None
    retry_count: int
    delivery: Literal["none", "deferred", "delivered", "bounced", "complained"]
    engagement: Literal["none", "opened", "clicked"]
    opened_at: datetime | None = Field(description="By a person, as far as can be told")
    clicked_at: datetime | None
    approved_at: datetime | None
    webhook_events: list[MailEvent]
    created_at: datetime
    updated_at: datetime


async def listed(
    agent_id: int, *, before: int | None, limit: int, state: State | None = None, client_id: int | None = None
) -> list[Email]:
    """The agent's mails below that number, the newest first."""
    async with database() as connection:
        found = await rows(
            connection,
            f"select {_COLUMNS} from followups.emails where agent_id = %(agent)s"  # noqa: S608 - constants of this module
            " and (%(before)s::bigint is null or id < %(before)s) and (%(state)s::text is null or state = %(state)s)"
            " and (%(client)s::bigint is null or client_id = %(client)s) order by id desc limit %(limit)s",
            {"agent": agent_id, "before": before, "limit": limit, "state": state, "client": client_id},
        )
    return [_email(row) for row in found]


async def read(agent_id: int, email_id: int) -> Email:
    """The agent's mail.

    Raises:
        NotFound: there is none, or it is another agent's.
    """
    async with database() as connection:
        return await one_of(connection, agent_id, email_id)


async def one_of(connection: Any, agent_id: int, email_id: int) -> Email:
    """As `read`, in the caller's transaction."""
    found = await rows(
        connection,
        f"select {_COLUMNS} from followups.emails where agent_id = %s and id = %s",  # noqa: S608 - as above
        (agent_id, email_id),
    )
    if not found:
        raise NotFound("There is no such mail.", code="unknown-mail")
    return _email(found[0])


def _email(row: dict[str, Any]) -> Email:
    return Email.model_validate({**row, "status": _status(row)})


def _status(row: dict[str, Any]) -> Status:
    """The one word for both axes: a mail that came back is bounced, whoever opened it before."""
    if row["state"] != "sent":
        return STATUS.get(row["state"], "queued")
    if row["delivery"] in ("bounced", "complained"):
        return "bounced"
    if row["engagement"] != "none":
        return row["engagement"]
    return "delivered" if row["delivery"] == "delivered" else "sent"
