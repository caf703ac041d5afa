"""Routes of an agent's mails: read, edit, approve, send; and the operator's of those that nobody knows about."""

from __future__ import annotations

from typing import Annotated

import azure.functions as func
from pydantic import Field

from shared.followups.events import replies
from shared.followups.events.replies import ClientReply
from shared.followups.people.models import Identifier, Number, Text
from shared.followups.sending import editing, mails, own_words, to_agents, unknown
from shared.followups.sending.editing import Edited, EmailChange, Preview
from shared.followups.sending.mails import Email, EmailFilter, State, Status
from shared.followups.sending.own_words import NewEmail
from shared.followups.steps import Outcome
from shared.platform.access.auth import ADMIN, Caller
from shared.platform.http import Page, Reply, Routes
from shared.platform.models import LazyModel, RequestBody
from triggers.followups.accounts.guard import AGENT, agent_of
from triggers.followups.lists import BulkDeleted, BulkIds, CountedPage, Done, NumberedPage, delete_each, linked, page

routes = Routes(tag="emails", unusable=422)


class EmailsQuery(CountedPage):
    """Which mails to list."""

    state: State | None = None
    status: Status | None = None
    client_id: Identifier | None = None


class PreviewRequest(RequestBody):
    task_id: Number
    client_id: Number | None = Field(default=None, description="Whose task it is; checked where it is given")
    agent_instructions: Annotated[Text, Field(max_length=500)] | None = Field(
        default=None, description="What the mail should be about, beside the notes of the task"
    )


class Resolution(RequestBody):
    """What a person found at the provider or in the relay's log."""

    handed_over: bool = Field(strict=True)


class Resolved(LazyModel):
    """The mail is settled."""

    email_id: int
    handed_over: bool


@routes.get("/api/emails", needs=AGENT, summary="The agent's mails, newest first")
async def followups_list_emails(query: EmailsQuery, caller: Caller, request: func.HttpRequest) -> Reply[list[Email]]:
    only = EmailFilter(state=query.state, status=query.status, client_id=query.client_id)
    listed = await mails.listed(agent_of(caller), query.part, only)
    return linked(listed, query.limit, request, followups_list_emails.__name__)


@routes.get("/api/replies", needs=AGENT, summary="What clients answered, newest first")
async def followups_list_replies(query: NumberedPage, caller: Caller) -> Page[ClientReply]:
    return page(await replies.listed(agent_of(caller), before=query.cursor, limit=query.limit), query.limit)


@routes.post("/api/emails/preview", needs=AGENT, summary="What would be written for a task now")
async def followups_preview_email(body: PreviewRequest, caller: Caller) -> Preview:
    return await editing.preview(agent_of(caller), body.task_id, body.client_id, body.agent_instructions or "")


@routes.post("/api/emails/send", needs=AGENT, summary="Send a client one's own words")
async def followups_send_email(body: NewEmail, caller: Caller) -> Email:
    """It goes out with the next sweep, under the same checks as all others; with `task_id` as that task's mail."""
    return await own_words.write(agent_of(caller), body)


# Its name comes before that of the route of one mail, which takes every word for a number.
@routes.delete("/api/emails/bulk", needs=AGENT, summary="Delete several mails")
async def followups_bulk_delete_emails(body: BulkIds, caller: Caller) -> BulkDeleted:
    agent_id = agent_of(caller)
    return await delete_each(body.ids, lambda email_id: editing.delete(agent_id, email_id))


@routes.get("/api/emails/{email_id}", needs=AGENT, summary="One mail")
async def followups_read_email(email_id: Identifier, caller: Caller) -> Email:
    return await mails.read(agent_of(caller), email_id)


@routes.patch("/api/emails/{email_id}", needs=AGENT, summary="Change the text of a mail that waits for its agent")
async def followups_change_email(email_id: Identifier, body: EmailChange, caller: Caller) -> Edited:
    return await editing.edit(agent_of(caller), email_id, body)


@routes.delete("/api/emails/{email_id}", needs=AGENT, summary="Delete a mail, and cancel it if it waits")
async def followups_delete_email(email_id: Identifier, caller: Caller) -> Done:
    """It is shown no more. Its row stays: no step is sent twice."""
    await editing.delete(agent_of(caller), email_id)
    return Done()


@routes.post("/api/emails/{email_id}/approve", needs=AGENT, summary="Let a mail go out that waits for its agent")
async def followups_approve_email(email_id: Identifier, caller: Caller) -> Email:
    return await editing.approve(agent_of(caller), email_id)


@routes.post("/api/emails/{email_id}/test", needs=AGENT, summary="Send a mail's text to oneself")
async def followups_test_email(email_id: Identifier, caller: Caller) -> Outcome:
    """Now, to the agent's own address; the mail itself stays as it is."""
    return await to_agents.send_test(agent_of(caller), email_id)


@routes.post("/api/emails/{email_id}/resolve", needs=ADMIN, summary="Say whether a mail was handed over")
async def followups_resolve_email(email_id: Identifier, body: Resolution) -> Resolved:
    """For a mail whose worker died or whose answer was lost. What was not handed over goes out with the next sweep."""
    await unknown.resolve(email_id, handed_over=body.handed_over)
    return Resolved(email_id=email_id, handed_over=body.handed_over)
