"""Mails to an agent itself, which are no follow-ups: only an address without a mailbox is kept from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from shared.followups.sending.checking import facts
from shared.followups.sending.domain import gate
from shared.followups.sending.mails import read_mail
from shared.followups.sending.message import mail_of
from shared.followups.sending.senders import pace, sender
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.followups.sending.message import Mail
    from shared.followups.steps import Outcome

NO_FOLLOWUP = 0
"""In place of a mail's number: no event of a provider is taken for one of a client's mail."""
MAX_WAIT_SECONDS = 10


async def send_test(agent_id: int, email_id: int) -> Outcome:
    """Hand the mail's text over to its agent's own address, now; the mail itself stays as it is.

    Raises:
        NotFound: there is no such mail.
        Conflict: it has no text yet, all mails are stopped, or as `hand_over`.
    """
    async with database() as connection:
        await read_mail(connection, agent_id, email_id)
        row = await facts.read(connection, email_id)
    if row is None or row["composed_at"] is None:
        raise Conflict("The mail has no text yet.", code="not-composed")
    if row["stopped_at"] is not None:
        raise Conflict("All mails are stopped.", code="all-stopped", remedy="The operator lets them go on.")
    return await hand_over(
        replace(
            mail_of(row),
            email_id=NO_FOLLOWUP,
            key=uuid4(),
            recipient=row["agent_email"],
            recipient_name=row["agent_name"],
            subject=f"[Test] {row['subject']}",
            unsubscribe="",
        )
    )


async def hand_over(mail: Mail) -> Outcome:
    """Hand a mail over to an agent, now. That its address wants no follow-ups, or complained, keeps none from it.

    Raises:
        Conflict: the address has no mailbox, or the sender's domain is not ready.
        TransientError: the sender's rate lets none through now.
    """
    async with database() as connection:
        if await rows(
            connection,
            "select from followups.suppressions where address = %s and scope = 'all'",
            (mail.recipient,),
        ):
            raise Conflict("A mail to this address came back: it has no mailbox.", code="no-mailbox")
    if problems := await gate.refused():
        raise Conflict("The sender's domain is not ready.", code="sender-domain", remedy="; ".join(problems))
    email_sender = sender()
    await pace.turn(email_sender, MAX_WAIT_SECONDS)
    return await email_sender.send(mail)
