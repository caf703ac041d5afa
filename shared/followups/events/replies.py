"""What a client's answer does: the cadence ends, and the agent gets a task to answer."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from shared.followups.people import tasks
from shared.followups.people.models import ResponseBody
from shared.followups.scheduling.cadence import CUSTOM
from shared.followups.sending.message import KEY
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.followups.events.inbound import Inbound


_KEY = re.compile(KEY)


class ClientReply(ResponseBody):
    """An answer of a client."""

    id: int
    client_id: int
    email_id: int | None = Field(description="Which mail it answers, where that can be told")
    sender: str = Field(serialization_alias="from")
    subject: str
    body: str
    received_at: datetime


async def record_reply(mail: Inbound) -> Literal["taken", "known", "ignored"]:
    """End the cadence of who wrote, and give the agent a task; machines and strangers change nothing.

    It is found by the mail that it refers to, else by its address, which may be a client of several agents: then of
    the one who wrote to it last.
    """
    if mail.kind != "person":
        return "ignored"
    async with database() as connection:
        answered = await _answered(connection, mail)
        if answered is None:
            return "ignored"
        stored = await rows(
            connection,
            "insert into followups.replies (agent_id, client_id, email_id, message_id, sender, subject, body)"
            " values (%(agent_id)s, %(client_id)s, %(email_id)s, %(message)s, %(sender)s, %(subject)s, %(body)s)"
            " on conflict (agent_id, message_id) do nothing returning id",
            {
                **answered,
                "message": mail.message_id,
                "sender": mail.sender,
                "subject": mail.subject,
                "body": mail.body,
            },
        )
        if not stored:
            return "known"
        await tasks.end_pending(connection, [answered["client_id"]], "skipped", "replied", mails_only=True)
        await connection.execute(
            "insert into followups.tasks (agent_id, client_id, followup_type, scheduled_for, planned_for, priority,"
            " channel, notes) values (%s, %s, %s, now(), now(), 'high', 'agent', %s)",
            (answered["agent_id"], answered["client_id"], CUSTOM, f"Answer: {mail.subject}"),
        )
    return "taken"


async def listed(agent_id: int, *, before: int | None, limit: int) -> list[ClientReply]:
    """The agent's replies below that number, the newest first."""
    async with database() as connection:
        stored = await rows(
            connection,
            "select id, client_id, email_id, sender, subject, body, received_at from followups.replies"
            " where agent_id = %(agent)s and (%(before)s::bigint is null or id < %(before)s)"
            " order by id desc limit %(limit)s",
            {"agent": agent_id, "before": before, "limit": limit},
        )
    return [ClientReply.model_validate(row) for row in stored]


async def _answered(connection: AsyncConnection[Any], mail: Inbound) -> dict[str, Any] | None:
    """SES gives each mail a Message-ID of its own, whose left part is the id that it answered with."""
    clients = await rows(
        connection,
        "select agent_id, followups.living_client(client_id) as client_id, id as email_id from followups.emails"
        " where message_key = any(%(keys)s::uuid[]) or provider_id = any(%(ids)s) order by id desc limit 1",
        {"ids": list(mail.answers), "keys": [key for key in mail.answers if _KEY.fullmatch(key)]},
    )
    if not clients:
        clients = await rows(
            connection,
            "select c.agent_id, c.id as client_id, null::bigint as email_id from followups.clients c"
            " where c.id in (select followups.living_client(id) from followups.clients where email = %s)"
            " and not c.is_deleted and c.last_contacted is not null order by c.last_contacted desc limit 1",
            (mail.sender,),
        )
    return clients[0] if clients else None
