"""The mails, as their agent sees and changes them before they are handed over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import Field

from shared.followups.composing.brief import Brief, Draft, brief_of, footer_of
from shared.followups.composing.content import problems
from shared.followups.composing.writers import TemplateWriter
from shared.followups.people import tasks
from shared.followups.people.models import Given, Line, Number, Stored, Text
from shared.followups.sending import facts
from shared.followups.sending.message import mail_of
from shared.followups.sending.senders import sender
from shared.followups.settings import settings
from shared.followups.steps import Outcome
from shared.platform.errors import Conflict, InvalidInput, NotFound
from shared.platform.rate_limit import rate_limit
from shared.platform.stores.postgres import database, rows

State = Literal["claimed", "held", "sending", "sent", "failed", "unknown", "cancelled"]
Status = Literal["queued", "sent", "failed", "delivered", "bounced", "opened", "clicked"]
STATUS: dict[State, Status] = {"failed": "failed", "cancelled": "failed"}
_COLUMNS = (
    "id, agent_id, task_id, client_id, sender, recipient, subject, body, state, hold_reason, provider,"
    " provider_id as provider_message_id, sent_at, error_code, error as error_message, attempts as retry_count,"
    " delivery, engagement, opened_at, clicked_at, approved_at, created_at, updated_at"
)


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
    created_at: datetime
    updated_at: datetime


class EmailChange(Given):
    """The agent's own words."""

    subject: Annotated[Line, Field(min_length=1)]
    body: Annotated[Text, Field(min_length=1)]


class NewEmail(EmailChange):
    """A mail that the agent wrote; it goes out with the next sweep, under the same checks as all others."""

    client_id: Number


class Preview(Stored):
    """What a task's mail would be; `problems` are what would hold it back."""

    subject: str
    body: str
    footer: str
    problems: list[str]


class Edited(Stored):
    """The mail as it is now; `problems` are what a generated text would be held for, for the agent to judge."""

    email: Email
    problems: list[str]


async def listed(agent_id: int, *, before: int | None, limit: int, state: State | None = None) -> list[Email]:
    """The agent's mails below that number, the newest first."""
    async with database() as connection:
        found = await rows(
            connection,
            f"select {_COLUMNS} from followups.emails where agent_id = %(agent)s"  # noqa: S608 - constants of this module
            " and (%(before)s::bigint is null or id < %(before)s) and (%(state)s::text is null or state = %(state)s)"
            " order by id desc limit %(limit)s",
            {"agent": agent_id, "before": before, "limit": limit, "state": state},
        )
    return [_email(row) for row in found]


async def read(agent_id: int, email_id: int) -> Email:
    """The agent's mail.

    Raises:
        NotFound: there is none, or it is another agent's.
    """
    async with database() as connection:
        return await _one(connection, agent_id, email_id)


async def preview(agent_id: int, task_id: int) -> Preview:
    """What would be written for the task now; nothing is stored.

    Raises:
        NotFound: there is no such task.
    """
    async with database() as connection:
        row = await facts.read_task(connection, agent_id, task_id)
    if row is None:
        raise NotFound("There is no such task.", code="unknown-task")
    brief = brief_of(row)
    draft = await TemplateWriter().write(brief)
    return Preview(subject=draft.subject, body=draft.body, footer=footer_of(row), problems=problems(draft, brief))


async def edit(agent_id: int, email_id: int, changed: EmailChange) -> Edited:
    """Replace the text of a mail that waits for its agent.

    Raises:
        NotFound: there is no such mail.
        Conflict: it does not wait.
    """
    async with database() as connection:
        row = await _waiting(connection, agent_id, email_id)
        await _write(connection, row, changed)
        return Edited(email=await _one(connection, agent_id, email_id), problems=_judged(changed, brief_of(row)))


async def approve(agent_id: int, email_id: int) -> Email:
    """Let a mail that waits for its agent go out with the next sweep.

    Raises:
        NotFound: there is no such mail.
        Conflict: it does not wait.
    """
    async with database() as connection:
        await _waiting(connection, agent_id, email_id)
        await connection.execute(
            "update followups.emails set state = 'claimed', hold_reason = null, leased_until = now(),"
            " updated_at = now(), approved_at = case when composed_at is not null then now() end where id = %s",
            (email_id,),
        )
        return await _one(connection, agent_id, email_id)


async def write(agent_id: int, new: NewEmail) -> Email:
    """A mail of the agent's own words, with a task of its own that is due now.

    Raises:
        NotFound: the client is not the agent's.
        InvalidInput: the app has no address to send from.
    """
    if not settings().followups_sender:
        raise InvalidInput("The app has no address to send from.", code="settings", remedy="Set FOLLOWUPS_SENDER.")
    async with database() as connection:
        made = await rows(
            connection,
            "insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority)"
            " select agent_id, id, %s, now(), now(), 'medium' from followups.clients"
            " where agent_id = %s and id = %s and not is_deleted returning id",
            (tasks.CUSTOM, agent_id, new.client_id),
        )
        if not made:
            raise NotFound("There is no such client.", code="unknown-client")
        stored = await rows(
            connection,
            "insert into followups.emails (task_id, agent_id, client_id, state, leased_until)"
            " values (%s, %s, %s, 'claimed', now()) returning id",
            (made[0]["id"], agent_id, new.client_id),
        )
        row = await facts.read(connection, stored[0]["id"])
        assert row is not None
        await _write(connection, row, new)
        await connection.execute("update followups.emails set approved_at = now() where id = %s", (row["id"],))
        return await _one(connection, agent_id, row["id"])


async def delete(agent_id: int, email_id: int) -> None:
    """Cancel a mail that was not handed over, with its task. What was handed over stays on record.

    Raises:
        NotFound: there is no such mail.
        Conflict: it may have been handed over.
    """
    async with database() as connection:
        mail = await _one(connection, agent_id, email_id)
        await rows(connection, "select from followups.tasks where id = %s for no key update", (mail.task_id,))
        mail = await _one(connection, agent_id, email_id)
        if mail.state in ("sending", "sent", "unknown"):
            raise Conflict(f"The mail is {mail.state}.", code="handed-over")
        await tasks.end(connection, mail.task_id, "cancelled", "mail-deleted")


async def send_test(agent_id: int, email_id: int) -> Outcome:
    """Hand the mail's text over to its agent's own address, now; the mail itself stays as it is.

    Raises:
        NotFound: there is no such mail.
        Conflict: it has no text yet.
    """
    async with database() as connection:
        await _one(connection, agent_id, email_id)
        row = await facts.read(connection, email_id)
    if row is None or row["composed_at"] is None:
        raise Conflict("The mail has no text yet.", code="not-composed")
    through = sender()
    await rate_limit(f"followups-{through.name}", settings().followups_mails_per_minute / 60).turn(10)
    mail = replace(
        mail_of(row),
        key=uuid4(),
        recipient=row["agent_email"],
        recipient_name=row["agent_name"],
        subject=f"[Test] {row['subject']}",
        unsubscribe="",
    )
    return await through.send(mail)


async def _waiting(connection: Any, agent_id: int, email_id: int) -> dict[str, Any]:
    mail = await _one(connection, agent_id, email_id)
    await rows(connection, "select from followups.tasks where id = %s for no key update", (mail.task_id,))
    row = await facts.read(connection, email_id)
    if row is None or row["state"] != "held":
        raise Conflict(f"The mail is {row['state'] if row else 'gone'}; only one that is held waits for its agent.")
    return row


async def _write(connection: Any, row: dict[str, Any], words: EmailChange) -> None:
    await connection.execute(
        "update followups.emails set subject = %(subject)s, body = %(body)s, edited_at = now(), updated_at = now(),"
        " writer = 'agent', sender = coalesce(nullif(sender, ''), %(sender)s), recipient = %(recipient)s,"
        " reply_to = %(reply_to)s, footer = %(footer)s, composed_at = coalesce(composed_at, now()) where id = %(id)s",
        {
            "subject": words.subject,
            "body": words.body,
            "sender": settings().followups_sender,
            "recipient": row["client_email"],
            "reply_to": settings().followups_reply_to or row["agent_email"],
            "footer": footer_of(row),
            "id": row["id"],
        },
    )


def _judged(words: EmailChange, brief: Brief) -> list[str]:
    return problems(Draft(subject=words.subject, body=words.body), brief)


async def _one(connection: Any, agent_id: int, email_id: int) -> Email:
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
