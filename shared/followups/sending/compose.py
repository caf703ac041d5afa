"""Writes a claimed mail once: the text is stored before anybody is sent it, and every attempt sends that text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.followups.composing.brief import brief_of
from shared.followups.composing.content import problems
from shared.followups.composing.writers import writer
from shared.followups.sending import outbox
from shared.followups.sending.checking import facts
from shared.followups.sending.envelope import STORE, envelope
from shared.followups.settings import settings
from shared.followups.steps import Composed
from shared.platform.errors import TerminalError
from shared.platform.stores.postgres import database

if TYPE_CHECKING:
    from shared.followups.composing.brief import Brief, Draft
    from shared.followups.steps import Claim

MOST_CLAIMS = 20
"""A mail whose text could not be written under so many claims waits for a person."""


async def compose(claim: Claim) -> Composed:
    """Write and store the mail's text unless it is stored already; may be repeated.

    A draft that breaks a rule is stored and held, with the reason, for the agent to mend.

    Raises:
        TransientError: the writer cannot write now.
    """
    async with database() as connection:
        row = await facts.read(connection, claim.email_id)
    if row is None or row["state"] != "claimed" or row["claim"] != claim.number:
        return Composed(ready=False, reason="claim-lost")
    if row["composed_at"] is not None:
        return Composed(ready=True)
    brief = brief_of(row)
    try:
        draft = await _written(brief, claim.number - row["first_claim"])
    except TerminalError as error:
        async with database() as connection:
            await outbox.hold(connection, claim, f"writer: {error.message}"[:1000])
        return Composed(ready=False, reason="writer")
    wrong = problems(draft, brief)
    async with database() as connection:
        stored = await _store(connection, claim, row, draft)
        if stored and wrong:
            await outbox.hold(connection, claim, f"content: {'; '.join(wrong)}"[:1000])
    return Composed(ready=stored and not wrong, reason="content" if wrong else None)


async def _written(brief: Brief, tries: int) -> Draft:
    if not settings().followups_sender:
        raise TerminalError("There is no address to send from: FOLLOWUPS_SENDER is not set.", code="settings")
    if tries > MOST_CLAIMS:
        raise TerminalError(
            "Its text could not be written in many tries; see the app's log, and approve it to try again.",
            code="not-written",
        )
    return await writer().write(brief)


async def _store(connection: Any, claim: Claim, row: dict[str, Any], draft: Draft) -> bool:
    """False if somebody else has the claim by now."""
    stored = await connection.execute(
        "update followups.emails set writer = %(writer)s, subject = %(subject)s,"  # noqa: S608 - a constant of the envelope
        f" body = %(body)s, {STORE}, composed_at = now(), updated_at = now()"
        " where id = %(id)s and state = 'claimed' and claim = %(number)s and composed_at is null",
        envelope(row)
        | {
            "writer": draft.written_by,
            "subject": draft.subject,
            "body": draft.body,
            "id": claim.email_id,
            "number": claim.number,
        },
    )
    return bool(stored.rowcount)
