"""Mails to an agent itself, which are no follow-ups."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from shared.followups.sending import facts
from shared.followups.sending.mails import one_of
from shared.followups.sending.message import mail_of
from shared.followups.sending.senders import sender
from shared.followups.settings import settings
from shared.followups.steps import Outcome
from shared.platform.errors import Conflict
from shared.platform.rate_limit import rate_limit
from shared.platform.stores.postgres import database


async def send_test(agent_id: int, email_id: int) -> Outcome:
    """Hand the mail's text over to its agent's own address, now; the mail itself stays as it is.

    Raises:
        NotFound: there is no such mail.
        Conflict: it has no text yet.
    """
    async with database() as connection:
        await one_of(connection, agent_id, email_id)
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
