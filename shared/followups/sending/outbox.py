"""The states of a mail: claimed, sending, then sent, failed or unknown. Each commits before anything relies on it.

From `sending` on a hand-over may have happened, so nobody ever claims the mail again. What its worker did not live to
record becomes `unknown`, for the provider or a person to tell.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.followups.people import tasks
from shared.followups.sending.checking import checks, facts
from shared.followups.sending.envelope import COLUMNS, COMPLETE, STORE, envelope, is_outdated
from shared.followups.sending.message import Mail, mail_of, waking_clock
from shared.followups.sending.settling import settle, warn_unknown
from shared.followups.steps import Claim, Outcome
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection

SENDING_MINUTES = 5
"""After this long in `sending` the worker is dead: a sender gives up long before."""
LOOK_UP_MINUTES = 15
"""How long after a look at an unknown mail the next one comes."""
MOST_LOOK_UPS = 20
"""Of one step; the next takes the others."""
WITH_PROVIDER = "(state = 'unknown' and leased_until <= now() and sending_at > now() - interval '1 day')"
"""The unknown mails of which the provider is to be asked, for a day, if it is one that can be asked."""
UNREPORTED = f"""(e.state = 'unknown' and e.told_unknown_at is null
    and e.sending_at <= now() - make_interval(mins => {LOOK_UP_MINUTES}))"""
"""The unknown mails e that are to be reported to a person: their provider had its time to settle them."""
TIME_TO_BEGIN = SENDING_MINUTES * 60 - 60
"""Seconds from the mark on within which the content must be on its way, a minute before the worker counts as dead."""


async def begin(claim: Claim, provider: str) -> Mail | str:
    """Check the mail once more and mark it as being sent; the mail, or why it is not to be handed over now.

    After this has given the mail, no other call will give it again.
    """
    deadline = waking_clock() + TIME_TO_BEGIN
    async with database() as connection:
        await _lock_agent(connection, claim.email_id)
        await lock_task(connection, claim.email_id)
        row = await facts.read(connection, claim.email_id)
        if row is None or row["state"] != "claimed" or row["claim"] != claim.number:
            return "claim-lost"
        if row["composed_at"] is None:
            return "not-composed"
        if reason := await _held_back(connection, claim, row):
            return reason
        # Whom it goes to and the address under it are those of now until the first attempt; a retry sends the same.
        around = STORE if row["first_sending_at"] is None and is_outdated(row) else COMPLETE
        marked = await rows(
            connection,
            "update followups.emails set state = 'sending', sending_at = now(), provider = %(provider)s,"  # noqa: S608 - constants of the envelope
            f" first_sending_at = coalesce(first_sending_at, now()), {around},"
            " leased_until = now() + make_interval(mins => %(minutes)s), updated_at = now()"
            f" where id = %(id)s and state = 'claimed' and claim = %(number)s returning {COLUMNS}",
            envelope(row)
            | {"provider": provider, "minutes": SENDING_MINUTES, "id": claim.email_id, "number": claim.number},
        )
        return replace(mail_of(row | marked[0]), deadline=deadline) if marked else "claim-lost"


async def begin_again(email_id: int) -> Mail | str:
    """Check a mail of which nobody knows as `begin` does, and mark it as being sent; the mail, or why not now.

    What speaks against it is noted; the mail stays unknown. Ask only where the provider takes the mail's key once.
    """
    deadline = waking_clock() + TIME_TO_BEGIN
    async with database() as connection:
        await _lock_agent(connection, email_id)
        await lock_task(connection, email_id)
        row = await facts.read(connection, email_id)
        if row is None or row["state"] != "unknown":
            return "settled"
        verdict = checks.judge(await facts.facts_of(connection, row))
        if not isinstance(verdict, checks.Go):
            await connection.execute(
                "update followups.emails set repeat_refused = %s, updated_at = now() where id = %s",
                (verdict.reason, email_id),
            )
            return verdict.reason
        [marked] = await rows(
            connection,
            "update followups.emails set state = 'sending', repeated_at = now(), repeat_refused = null,"  # noqa: S608 - as above
            f" {COMPLETE}, leased_until = now() + make_interval(mins => %(minutes)s), updated_at = now()"
            f" where id = %(id)s returning {COLUMNS}",
            envelope(row) | {"minutes": SENDING_MINUTES, "id": email_id},
        )
        return replace(mail_of(row | marked), deadline=deadline)


async def leave_unknown(email_id: int, outcome: Outcome) -> None:
    """Note that a mail which was handed over again is as unknown as before."""
    async with database() as connection:
        await lock_task(connection, email_id)
        await connection.execute(
            "update followups.emails set state = 'unknown', error_code = %s, error = %s, updated_at = now(),"
            " leased_until = now() + make_interval(mins => %s) where id = %s and state = 'sending'",
            (outcome.code, outcome.text, LOOK_UP_MINUTES, email_id),
        )


async def _held_back(connection: AsyncConnection[Any], claim: Claim, row: dict[str, Any]) -> str | None:
    """Why the mail is not to be handed over now, which is then noted; None if it may go out."""
    verdict = checks.judge(await facts.facts_of(connection, row))
    match verdict:
        case checks.Go():
            return None
        case checks.Stop(reason):
            await tasks.end(connection, row["task_id"], "cancelled", reason)
        case checks.Hold(reason):
            await hold(connection, claim, reason)
        case checks.Wait(reason):
            await _give_back(connection, claim)
        case checks.Defer(until, reason):
            await tasks.move(connection, row["task_id"], until, reason)
            await _give_back(connection, claim)
    return reason


async def record(claim: Claim, outcome: Outcome) -> None:
    """Store what became of a hand-over; may be repeated, and what is settled stays."""
    async with database() as connection:
        await lock_task(connection, claim.email_id)
        unsettled = await rows(
            connection,
            "select * from followups.emails where id = %s and claim = %s and state in ('sending', 'unknown')",
            (claim.email_id, claim.number),
        )
        if unsettled:
            await settle(connection, unsettled[0], outcome)
        elif outcome.provider_id:  # an event settled it before; an answer to the mail names this id
            await connection.execute(
                "update followups.emails set provider_id = coalesce(provider_id, %s) where id = %s and claim = %s"
                " and state = 'sent'",
                (outcome.provider_id, claim.email_id, claim.number),
            )


async def settle_if_unknown(email_id: int, outcome: Outcome) -> bool:
    """Settle a mail of which nobody knew whether it was handed over; False if it was settled already."""
    async with database() as connection:
        await lock_task(connection, email_id)
        return await settle_locked(connection, email_id, outcome)


async def settle_as_sent(
    connection: AsyncConnection[Any], email_id: int, provider: str, provider_id: str | None = None
) -> None:
    """Settle as sent a mail of which its provider tells, in a transaction that has locked the mail's task.

    It had the mail, also where it, or a person, said before that it had not.
    """
    unsettled = await rows(
        connection,
        "update followups.emails set sending_at = coalesce(sending_at, first_sending_at), hold_reason = null,"
        " state = 'sending', provider = %s where id = %s and state <> 'sent' returning *",
        (provider, email_id),
    )
    if unsettled:
        accepted = Outcome(kind="accepted", provider=provider, provider_id=provider_id)
        await settle(connection, unsettled[0], accepted)
    elif provider_id:
        await connection.execute(
            "update followups.emails set provider_id = coalesce(provider_id, %s) where id = %s", (provider_id, email_id)
        )


async def settle_locked(connection: AsyncConnection[Any], email_id: int, outcome: Outcome) -> bool:
    """As `settle_if_unknown`, in a transaction that has locked the mail's task."""
    unsettled = await rows(
        connection, "select * from followups.emails where id = %s and state in ('sending', 'unknown')", (email_id,)
    )
    if unsettled:
        await settle(connection, unsettled[0], outcome)
    return bool(unsettled)


async def give_up_expired() -> list[int]:
    """Mark as unknown what has been in sending for too long; the numbers of these mails."""
    async with database() as connection:
        expired = await rows(
            connection,
            "update followups.emails set state = 'unknown', error_code = 'worker-died', updated_at = now(),"
            " error = 'The worker did not live to record whether the mail was handed over.'"
            " where state = 'sending' and leased_until <= now() returning id",
        )
    given_up = sorted(row["id"] for row in expired)
    for email_id in given_up:
        warn_unknown(email_id)
    return given_up


async def unreported_unknown(given_up: Sequence[int]) -> list[int]:
    """The numbers of the unreported unknown mails: those of `given_up`, and those that nothing resolved in time."""
    async with database() as connection:
        unreported = await rows(
            connection,
            f"select id from followups.emails e where {UNREPORTED} or (state = 'unknown' and told_unknown_at is null"  # noqa: S608 - a constant of this module
            " and id = any(%s)) order by id",
            (list(given_up),),
        )
    return [row["id"] for row in unreported]


async def note_reported(email_ids: Sequence[int]) -> None:
    """Note that these were reported to a person."""
    async with database() as connection:
        await connection.execute(
            "update followups.emails set told_unknown_at = now() where id = any(%s)", (list(email_ids),)
        )


async def unknown_mails(provider: str) -> list[Mail]:
    """Mails of this provider of which nobody knows whether they were handed over.

    Each is given to one caller in a quarter of an hour.
    """
    async with database() as connection:
        leased = await rows(
            connection,
            "update followups.emails set leased_until = now() + make_interval(mins => %s) where id in (select id"  # noqa: S608 - a constant of this module
            f" from followups.emails where {WITH_PROVIDER} and provider = %s order by id limit %s"
            " for update skip locked) returning id",
            (LOOK_UP_MINUTES, provider, MOST_LOOK_UPS),
        )
        mails = [await facts.read(connection, row["id"]) for row in leased]
        return [mail_of(row) for row in mails if row is not None]


async def hold(connection: AsyncConnection[Any], claim: Claim, reason: str) -> None:
    """Keep a claimed mail for a person to look at."""
    await connection.execute(
        "update followups.emails set state = 'held', hold_reason = %s, updated_at = now()"
        " where id = %s and state = 'claimed' and claim = %s",
        (reason, claim.email_id, claim.number),
    )


async def _give_back(connection: AsyncConnection[Any], claim: Claim) -> None:
    await connection.execute(
        "update followups.emails set leased_until = now(), updated_at = now()"
        " where id = %s and state = 'claimed' and claim = %s",
        (claim.email_id, claim.number),
    )


async def _lock_agent(connection: AsyncConnection[Any], email_id: int) -> None:
    """Agents, clients, tasks, mails, suppressions: everything locks in this order. One at a time counts the cap."""
    await connection.execute(
        "select from followups.agents where id = (select agent_id from followups.emails where id = %s)"
        " for no key update",
        (email_id,),
    )


async def lock_task(connection: AsyncConnection[Any], email_id: int) -> None:
    """Let nobody else change the mail until the transaction ends. Clients come before tasks, as everywhere."""
    await connection.execute(
        "select from followups.clients where id = (select client_id from followups.tasks where id ="
        " (select task_id from followups.emails where id = %s)) for no key update",
        (email_id,),
    )
    await connection.execute(
        "select from followups.tasks where id = (select task_id from followups.emails where id = %s) for no key update",
        (email_id,),
    )
