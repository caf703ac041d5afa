"""One side effect each of a sweep; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shared.followups import alerts
from shared.followups.sending import claims, outbox
from shared.followups.sending.compose import compose
from shared.followups.sending.domain import gate
from shared.followups.sending.senders import pace, sender
from shared.followups.steps import Attempt, Claim, ClaimBatch, Claims, Composed, Outcome, Record
from shared.platform.durable import Nothing, activity
from shared.platform.errors import TransientError

if TYPE_CHECKING:
    from shared.followups.sending.senders import EmailSender

MAX_WAIT_SECONDS = 120
"""How long a mail waits for the sender's rate before its step is tried again."""
ENDS = ("accepted", "refused")
"""What settles a mail of which nobody knew."""

logger = logging.getLogger(__name__)


@activity
async def claim_followups(task: ClaimBatch) -> Claims:
    """Claim the mails that are due, as many as the sender's rate lets through in a short while.

    Repeated, it gives the same claims again. None is claimed while the sender's domain is not ready. A sweep ends when
    there are none, which is noted here.
    """
    claimed = [] if await gate.refused() else await claims.claim(claims.batch_size(), task.batch)
    if not claimed:
        await claims.note_sweep()
    return Claims(claims=claimed)


@activity
async def compose_followup(claim: Claim) -> Composed:
    """Write the text of a claimed mail and store it."""
    return await compose(claim)


@activity
async def hand_over_followup(claim: Claim) -> Attempt:
    """Check a mail, mark it as being sent, hand it over, and note what came of it.

    Repeated, it hands nothing over: the mark is there. If the note cannot be written, the answer says so.
    """
    email_sender = sender()
    await pace.turn(email_sender, MAX_WAIT_SECONDS)
    mail = await outbox.begin(claim, email_sender.name)
    if isinstance(mail, str):
        return Attempt(claim=claim, outcome=None, reason=mail, recorded=True)
    outcome = await email_sender.send(mail)
    try:
        await outbox.record(claim, outcome)
    except TransientError:
        return Attempt(claim=claim, outcome=outcome, reason=None, recorded=False)
    return Attempt(claim=claim, outcome=outcome, reason=None, recorded=True)


@activity
async def record_followup(done: Record) -> Nothing:
    """Note what came of a hand-over whose worker could not reach the database."""
    await outbox.record(done.claim, done.outcome)
    return Nothing()


@activity
async def settle_followups(nothing: Nothing) -> Nothing:
    """Mark as unknown the mails whose worker died while it handed them over.

    The provider is asked what became of those that are unknown. One that takes a mail's key once gets the mail again,
    if the checks of a first hand-over let it go; what stays unknown is reported to a person.
    """
    given_up = await outbox.give_up_expired()
    email_sender = sender()
    for mail in await outbox.unknown_mails(email_sender.name):
        outcome = await email_sender.find_out(mail)
        if outcome is None and email_sender.may_repeat(mail):
            outcome = await _repeat(email_sender, mail.email_id)
        if outcome is not None and outcome.kind in ENDS:
            await outbox.settle_if_unknown(mail.email_id, outcome)
    if unreported := await outbox.unreported_unknown(given_up):
        await alerts.alert_unknown(unreported)
        await outbox.note_reported(unreported)
    return nothing


async def _repeat(email_sender: EmailSender, email_id: int) -> Outcome | None:
    """Hand a mail over again under its key; None if it is not to go out now, or nobody knows after all."""
    try:
        await pace.turn(email_sender, MAX_WAIT_SECONDS)
    except TransientError:
        return None
    mail = await outbox.begin_again(email_id)
    if isinstance(mail, str):
        logger.info(
            "A mail whose outcome is unknown was not handed over again: a check holds it back.",
            extra={"email": email_id, "reason": mail},
        )
        return None
    outcome = await email_sender.send(mail)
    if outcome.kind in ENDS:
        return outcome
    # Also a request that certainly did not arrive says nothing of the one before.
    await outbox.leave_unknown(email_id, outcome)
    return None
