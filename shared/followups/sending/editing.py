"""What an agent does to a mail before it is handed over: see, change, approve and cancel it."""

from __future__ import annotations

from textwrap import shorten
from typing import Annotated, Any

from pydantic import Field

from shared.followups.composing.brief import Brief, Draft, brief_of, footer_of
from shared.followups.composing.content import problems
from shared.followups.composing.writers import writer
from shared.followups.people import tasks
from shared.followups.people.models import ResponseBody, Text
from shared.followups.people.refusals import unknown_task
from shared.followups.sending.checking import facts
from shared.followups.sending.envelope import STORE, envelope
from shared.followups.sending.mails import Email, read_mail
from shared.followups.sending.message import html_of
from shared.platform.errors import Conflict
from shared.platform.models import RequestBody
from shared.platform.printable import Name, Seen
from shared.platform.stores.postgres import database, rows

SHOWN_CHARACTERS = 120


class EmailChange(RequestBody):
    """The agent's own words."""

    subject: Name
    body: Annotated[Text, Field(min_length=1), Seen]


class Preview(ResponseBody):
    """What a task's mail would be; `problems` are what would hold it back."""

    subject: str
    body: str
    html_body: str = Field(description="As it is sent beside the plain text, without the link to unsubscribe")
    preview: str = Field(description="The beginning, as mailboxes show it beside the subject")
    footer: str
    problems: list[str]


class Edited(ResponseBody):
    """The mail as it is now; `problems` are what a generated text would be held for, for the agent to judge."""

    email: Email
    problems: list[str]


async def preview(agent_id: int, task_id: int, client_id: int | None = None, wishes: str = "") -> Preview:
    """What would be written for the task now; nothing is stored. A model writes something else each time.

    `wishes` of the agent are added to the task's notes.

    Raises:
        NotFound: there is no such task, or none of this client.
    """
    async with database() as connection:
        row = await facts.read_task(connection, agent_id, task_id)
    if row is None or client_id not in (None, row["client_id"]):
        raise unknown_task()
    brief = brief_of(row)
    brief = brief.model_copy(update={"task_notes": f"{brief.task_notes}\n{wishes}".strip()})
    draft = await writer().write(brief)
    footer = footer_of(row)
    return Preview(
        subject=draft.subject,
        body=draft.body,
        html_body=html_of(draft.body, footer),
        preview=shorten(draft.body, SHOWN_CHARACTERS, placeholder=" …"),
        footer=footer,
        problems=problems(draft, brief),
    )


async def edit(agent_id: int, email_id: int, changed: EmailChange) -> Edited:
    """Replace the text of a mail that waits for its agent.

    Raises:
        NotFound: there is no such mail.
        Conflict: it does not wait.
    """
    async with database() as connection:
        row = await _waiting(connection, agent_id, email_id)
        await store(connection, row, changed)
        return Edited(email=await read_mail(connection, agent_id, email_id), problems=_judged(changed, brief_of(row)))


async def approve(agent_id: int, email_id: int) -> Email:
    """Let a mail that waits for its agent go out with the next sweep, in the envelope of now.

    Raises:
        NotFound: there is no such mail.
        Conflict: it does not wait.
    """
    async with database() as connection:
        row = await _waiting(connection, agent_id, email_id)
        around = f"{STORE}, approved_at = now()" if row["composed_at"] is not None else "first_claim = claim"
        await connection.execute(
            "update followups.emails set state = 'claimed', hold_reason = null, leased_until = now(),"  # noqa: S608 - a constant of the envelope
            f" updated_at = now(), {around} where id = %(id)s",
            envelope(row) | {"id": email_id},
        )
        return await read_mail(connection, agent_id, email_id)


async def delete(agent_id: int, email_id: int) -> None:
    """Show a mail no more; one that waits is cancelled with its task. Its row stays: no step is sent twice.

    Raises:
        NotFound: there is no such mail.
        Conflict: nobody knows yet whether it was handed over.
    """
    async with database() as connection:
        mail = await read_mail(connection, agent_id, email_id)
        await rows(connection, "select from followups.tasks where id = %s for no key update", (mail.task_id,))
        mail = await read_mail(connection, agent_id, email_id)
        if mail.state in ("sending", "unknown"):
            raise Conflict(f"The mail is {mail.state}.", code="not-settled", remedy="Wait until it is sent or failed.")
        await tasks.end(connection, mail.task_id, "cancelled", "mail-deleted")
        await connection.execute("update followups.emails set deleted_at = now() where id = %s", (email_id,))


async def _waiting(connection: Any, agent_id: int, email_id: int) -> dict[str, Any]:
    mail = await read_mail(connection, agent_id, email_id)
    await rows(connection, "select from followups.tasks where id = %s for no key update", (mail.task_id,))
    row = await facts.read(connection, email_id)
    if row is None or row["state"] != "held":
        raise Conflict(f"The mail is {row['state'] if row else 'deleted'}; only one that is held waits for its agent.")
    return row


async def store(connection: Any, row: dict[str, Any], words: EmailChange) -> None:
    """Make these the mail's words, and its envelope that of now, in the caller's transaction."""
    await connection.execute(
        "update followups.emails set subject = %(subject)s, body = %(body)s, edited_at = now(), updated_at = now(),"  # noqa: S608 - a constant of the envelope
        f" writer = 'agent', {STORE},"
        " composed_at = coalesce(composed_at, now()) where id = %(id)s",
        envelope(row)
        | {
            "subject": words.subject,
            "body": words.body,
            "id": row["id"],
        },
    )


def _judged(words: EmailChange, brief: Brief) -> list[str]:
    return problems(Draft(subject=words.subject, body=words.body), brief)
