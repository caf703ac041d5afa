"""Mails of an agent's own words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from shared.followups.people.models import Address, Number, Text
from shared.followups.people.refusals import task_ended, unknown_client, unknown_task
from shared.followups.scheduling.cadence import CUSTOM
from shared.followups.sending import editing
from shared.followups.sending.checking import checks, facts
from shared.followups.sending.editing import EmailChange
from shared.followups.sending.mails import Email, read_mail
from shared.followups.sending.plain_text import plain_text
from shared.followups.settings import settings
from shared.platform.errors import Conflict, InvalidInput
from shared.platform.stores.postgres import database, rows

# A worker that holds the mail has an older number of the claim from here on.
_CLAIMABLE = """
insert into followups.emails as mine (task_id, agent_id, client_id, state, leased_until)
values (%(task)s, %(agent)s, %(client)s, 'claimed', now())
on conflict (task_id) do update set state = 'claimed', hold_reason = null, claim = mine.claim + 1, leased_until = now(),
    updated_at = now()
where mine.state in ('claimed', 'held') returning id
"""


class NewEmail(EmailChange):
    """A mail that the agent wrote; it goes out with the next sweep, under the same checks as all others."""

    body: Annotated[Text, Field(min_length=1, description="Plain text; of HTML its text")]

    client_id: Number
    task_id: Number | None = Field(
        default=None, description="The pending task whose mail it is; absent: a task of its own"
    )
    to_email: Address | None = Field(default=None, description="The client's address; checked where it is given")
    agent_instructions: Text | None = Field(default=None, description="What the words were written by; not used")


async def write(agent_id: int, new: NewEmail) -> Email:
    """A mail of the agent's own words: of a task that waits, or of one of its own that is due now.

    Raises:
        NotFound: the client is not the agent's, or has no such task.
        Conflict: the task has ended, or its mail may have been handed over; the client is not to be written to, or was
            told the same today, as by a request that is repeated.
        InvalidInput: the app has no address to send from, or the client has another address.
    """
    if not settings().followups_sender:
        raise InvalidInput("The app has no address to send from.", code="settings", remedy="Set FOLLOWUPS_SENDER.")
    async with database() as connection:
        task_id = await (_task_now(connection, agent_id, new) if new.task_id else _new_task(connection, agent_id, new))
        stored = await rows(connection, _CLAIMABLE, {"task": task_id, "agent": agent_id, "client": new.client_id})
        row = await facts.read(connection, stored[0]["id"]) if stored else None
        if row is None:
            raise Conflict("The task's mail was or may have been handed over.", code="handed-over")
        if reason := checks.never(await facts.facts_of(connection, row)):
            raise Conflict(
                f"The client is not to be written to: {reason}.",
                code="not-to-be-written-to",
                remedy="Change the client's stage, or allow it again where the client has agreed.",
            )
        words = new.model_copy(update={"body": plain_text(new.body)})
        if not new.task_id and (twice := await _mail_with_same_text(connection, row, words)):
            raise Conflict(
                f"Mail {twice} says the same to this client, and waits or went out today.",
                code="said-already",
                remedy="Change the words where both are meant.",
            )
        if new.to_email and new.to_email != row["client_email"]:
            raise InvalidInput("The client has another address.", field="to_email", remedy="Change the client first.")
        await editing.store(connection, row, words)
        await connection.execute("update followups.emails set approved_at = now() where id = %s", (row["id"],))
        return await read_mail(connection, agent_id, row["id"])


async def _mail_with_same_text(connection: Any, row: dict[str, Any], words: EmailChange) -> int | None:
    """The number of another mail to the client with these words, which waits or was handed over in the last day."""
    repeated = await rows(
        connection,
        "select id from followups.emails where client_id = %s and id <> %s and subject = %s and body = %s"
        " and state not in ('failed', 'cancelled') and updated_at > now() - interval '1 day' order by id limit 1",
        (row["client_id"], row["id"], words.subject, words.body),
    )
    return repeated[0]["id"] if repeated else None


async def _new_task(connection: Any, agent_id: int, new: NewEmail) -> int:
    made = await rows(
        connection,
        "insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority)"
        " select agent_id, id, %s, now(), now(), 'medium' from followups.clients"
        " where agent_id = %s and id = %s and not is_deleted returning id",
        (CUSTOM, agent_id, new.client_id),
    )
    if not made:
        raise unknown_client()
    return made[0]["id"]


async def _task_now(connection: Any, agent_id: int, new: NewEmail) -> int:
    """The pending task, which is due from now on at the latest."""
    tasks = await rows(
        connection,
        "select id, status from followups.tasks where agent_id = %s and client_id = %s and id = %s"
        " and channel = 'email' for no key update",
        (agent_id, new.client_id, new.task_id),
    )
    if not tasks:
        raise unknown_task()
    if tasks[0]["status"] != "pending":
        raise task_ended(tasks[0]["status"])
    await connection.execute(
        "update followups.tasks set scheduled_for = least(scheduled_for, now()), updated_at = now() where id = %s",
        (new.task_id,),
    )
    return tasks[0]["id"]
