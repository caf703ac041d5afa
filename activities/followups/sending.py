"""One side effect each of a sweep; every one may be delivered twice and changes nothing the second time."""

from __future__ import annotations

from shared.followups import alerts
from shared.followups.sending import claims, outbox
from shared.followups.sending.compose import compose
from shared.followups.sending.domain import gate
from shared.followups.sending.senders import sender
from shared.followups.settings import settings
from shared.followups.steps import Attempt, Claim, ClaimBatch, Claims, Composed, Record
from shared.platform.durable import Nothing, activity
from shared.platform.errors import TransientError
from shared.platform.rate_limit import rate_limit

PATIENCE_SECONDS = 120
"""How long a mail waits for the sender's rate before its step is tried again."""


@activity
async def claim_followups(task: ClaimBatch) -> Claims:
    """Claim the mails that are due, as many as the sender's rate lets through in a short while.

    Repeated, it gives the same claims again. None is claimed while the sender's domain is not ready.
    """
    if await gate.refused():
        return Claims(claims=[])
    return Claims(claims=await claims.claim(claims.batch_size(), task.batch))


@activity
async def compose_followup(claim: Claim) -> Composed:
    """Write the text of a claimed mail and store it."""
    return await compose(claim)


@activity
async def hand_over_followup(claim: Claim) -> Attempt:
    """Check a mail, mark it as being sent, hand it over, and note what came of it.

    Repeated, it hands nothing over: the mark is there. If the note cannot be written, the answer says so.
    """
    through = sender()
    await rate_limit(f"followups-{through.name}", settings().followups_mails_per_minute / 60).turn(PATIENCE_SECONDS)
    mail = await outbox.begin(claim, through.name)
    if isinstance(mail, str):
        return Attempt(claim=claim, outcome=None, reason=mail, recorded=True)
    outcome = await through.send(mail)
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

    The provider is asked what became of those that are unknown; where it cannot tell, a person is.
    """
    given_up = set(await outbox.give_up_expired())
    through = sender()
    for mail in await outbox.unknown_mails(through.name):
        outcome = await through.find_out(mail)
        if outcome is not None and await outbox.resolve(mail.email_id, outcome):
            given_up.discard(mail.email_id)
    if given_up:
        await alerts.tell_unknown(sorted(given_up))
    return nothing
