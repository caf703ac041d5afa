"""The mails, as their agent sees them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from shared.followups.keyset import Part
from shared.followups.people.models import ResponseBody
from shared.platform.errors import NotFound
from shared.platform.stores.postgres import database, rows

State = Literal["claimed", "held", "sending", "sent", "failed", "unknown", "cancelled"]
Status = Literal["queued", "sent", "failed", "delivered", "bounced", "opened", "clicked"]
# The one word for both axes: a mail that came back is bounced, whoever opened it before.
STATUS = (
    "case when state in ('failed', 'cancelled') then 'failed' when state <> 'sent' then 'queued'"
    " when delivery in ('bounced', 'complained') then 'bounced' when engagement <> 'none' then engagement"
    " when delivery = 'delivered' then 'delivered' else 'sent' end"
)
MESSAGE_ID = "'<' || message_key || '@' || split_part(sender, '@', 2) || '>'"
"""As message.Mail has it."""
_TO = "coalesce(recipient, (select email from followups.clients where id = client_id))"
_COLUMNS = (
    "id, agent_id, task_id, client_id, sender, sender as from_email, sender_name as from_name, footer, state,"  # noqa: S608 - constants of this module
    f" {_TO} as recipient, {_TO} as to_email,"
    f" coalesce(subject, '') as subject, coalesce(body, '') as body, {STATUS} as status, hold_reason, provider,"
    f" {MESSAGE_ID} as message_id,"
    " provider_id as provider_message_id, provider_id as ses_message_id, sent_at, error_code, error as error_message,"
    " attempts as retry_count,"
    " delivery, engagement, opened_at, clicked_at, approved_at, created_at, updated_at,"
    " coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'happened_at', happened_at, 'detail', detail)"
    " order by happened_at) from followups.provider_events where email_id = emails.id), '[]') as webhook_events"
)


class MailEvent(ResponseBody):
    """What the provider told of a mail."""

    kind: str
    happened_at: datetime
    detail: str


class Email(ResponseBody):
    """A mail. `status` is the coarse one, `state` what it is in exactly."""

    id: int
    agent_id: int
    task_id: int
    client_id: int
    sender: str | None = Field(serialization_alias="from")
    recipient: str = Field(serialization_alias="to")
    from_name: str | None
    from_email: str | None = Field(description="The same as `from`, for callers of RealtorOS")
    to_email: str = Field(description="The same as `to`")
    subject: str = Field(description="Empty: not written yet")
    body: str
    footer: str | None = Field(description="Stands under the body: who writes, from where and why")
    message_id: str | None = Field(description="Of its header; null: not written yet")
    status: Status
    state: State
    hold_reason: str | None = Field(description="What keeps it from being sent")
    provider: str | None
    provider_message_id: str | None
    ses_message_id: str | None = Field(description="The same, for callers of RealtorOS")
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


@dataclass(frozen=True, slots=True)
class EmailFilter:
    """Which mails are asked for; None: any."""

    state: State | None = None
    status: Status | None = None
    client_id: int | None = None


async def listed(agent_id: int, part: Part, only: EmailFilter = EmailFilter()) -> list[Email]:
    """That part of the agent's mails, the newest first."""
    async with database() as connection:
        emails = await rows(
            connection,
            f"select {_COLUMNS} from followups.emails where agent_id = %(agent)s and deleted_at is null"  # noqa: S608 - constants of this module
            " and (%(behind)s::bigint is null or id < %(behind)s) and (%(state)s::text is null or state = %(state)s)"
            " and (%(client_id)s::bigint is null or client_id = %(client_id)s)"
            f" and (%(status)s::text is null or {STATUS} = %(status)s)"
            " order by id desc limit %(limit)s offset %(skip)s",
            {"agent": agent_id, **asdict(part), **asdict(only)},
        )
    return [Email.model_validate(row) for row in emails]


async def read(agent_id: int, email_id: int) -> Email:
    """The agent's mail.

    Raises:
        NotFound: there is none, or it is another agent's.
    """
    async with database() as connection:
        return await read_mail(connection, agent_id, email_id)


async def read_mail(connection: Any, agent_id: int, email_id: int) -> Email:
    """As `read`, in the caller's transaction."""
    emails = await rows(
        connection,
        f"select {_COLUMNS} from followups.emails where agent_id = %s and id = %s and deleted_at is null",  # noqa: S608 - as above
        (agent_id, email_id),
    )
    if not emails:
        raise NotFound("There is no such mail.", code="unknown-mail")
    return Email.model_validate(emails[0])
