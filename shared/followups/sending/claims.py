"""Which mails are due, and the right to hand them over: many may ask at once, one gets each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.followups.people import tasks
from shared.followups.people.models import calendar_of
from shared.followups.scheduling.catch_up import DueStep, Move, Policy, Send, Skip, catch_up
from shared.followups.sending.outbox import UNREPORTED, WITH_PROVIDER
from shared.followups.sending.senders.base import UNREACHABLE
from shared.followups.settings import settings
from shared.followups.steps import Claim
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

LEASE_MINUTES = 15
"""A claim that was neither sent nor given back for so long may be taken by another: its holder died."""

WITH_LOOK_UP = ("resend", "communication")
"""Providers that can be asked what became of a mail."""

# A person or a pause holds back what is not in here. Due is by the database's clock.
_MAY_GO = """
from followups.tasks t
    join followups.clients c on c.id = t.client_id
    join followups.agents a on a.id = t.agent_id
    left join followups.emails e on e.task_id = t.id
where t.status = 'pending' and t.channel = 'email' and t.scheduled_for <= now()
    and not c.is_deleted and c.paused_at is null and a.is_active and a.paused_at is null
    and not exists (select from followups.scheduler where stopped_at is not null
        or (cardinality(domain_problems) > 0 and domain_checked_at > now() - interval '15 minutes'))
"""
DUE = f"{_MAY_GO} and (e.id is null or (e.state = 'claimed' and e.leased_until <= now()))"
"""The tasks whose mail can be claimed now."""
# A provider that asked to come later has set the lease of a mail that was tried before; any other lease is a worker's.
UNSENT = f"""{_MAY_GO} and (e.id is null or (e.state = 'claimed' and (e.attempts = 0 or e.leased_until <= now()
    or e.error_code in ({", ".join(f"'{code}'" for code in UNREACHABLE)}))))"""
"""The tasks whose mail should have gone out by now, also those that a worker holds and does not get done."""

_ANYTHING_DUE = f"""
with work as (
    select exists (select {DUE})
        or exists (select from followups.emails where state = 'sending' and leased_until <= now())
        or exists (select from followups.emails where {WITH_PROVIDER} and provider = any(%(with_look_up)s)
            and not exists (select from followups.scheduler where stopped_at is not null))
        or exists (select from followups.emails e where {UNREPORTED}
            and not exists (select from followups.scheduler where stopped_at is not null)) as due
), ended as (
    update followups.scheduler set swept_at = now() where not (select due from work)
)
select due from work
"""  # noqa: S608 - constants of this module

_LOCK = 0x666F6C6C
"""Key of the advisory lock of whoever claims: sweeps of one moment would part a batch among them, a few mails each."""
# A client that a route has locked is passed over: the next claim finds it.
_LOCK_CLIENTS = f"select c.id {DUE} order by t.scheduled_for, t.id limit %s for update of c skip locked"

# Read after the lock, so that it shows what the last holder of the lock did.
_DUE_OF_CLIENTS = f"""
select t.id, t.client_id, t.agent_id, t.scheduled_for, e.approved_at is not null as approved, now() as now,
    {tasks.CALENDAR},
    greatest(c.last_contacted, (select max(case when o.state = 'claimed' then now()
        else coalesce(o.repeated_at, o.sending_at) end)
        from followups.emails o where o.client_id = c.id and (o.state in ('sending', 'sent', 'unknown')
            or (o.state = 'claimed' and o.leased_until > now())))) as last_contact
{DUE} and c.id = any(%s) order by t.scheduled_for, t.id
"""  # noqa: S608 - as above

_CLAIM = """
insert into followups.emails as mine (task_id, agent_id, client_id, state, leased_until, batch)
values (%(id)s, %(agent_id)s, %(client_id)s, 'claimed', now() + make_interval(mins => %(lease)s), %(batch)s)
on conflict (task_id) do update
    set claim = mine.claim + 1, leased_until = excluded.leased_until, batch = excluded.batch, updated_at = now()
    where mine.state = 'claimed' and mine.leased_until <= now()
returning id as email_id, claim as number
"""


_CLAIMS_OF_BATCH = """
update followups.emails set leased_until = now() + make_interval(mins => %(lease)s), updated_at = now()
where batch = %(batch)s and state = 'claimed' returning id as email_id, claim as number
"""


async def anything_due() -> bool:
    """The sweep's question: is there a mail to claim, or one whose hand-over never came to an end?

    When there is nothing to do, the sweep has ended with the question, and that is noted.
    """
    async with database() as connection:
        return bool((await rows(connection, _ANYTHING_DUE, {"with_look_up": list(WITH_LOOK_UP)}))[0]["due"])


async def note_sweep() -> None:
    """Note that a sweep has ended, for /health/scheduler."""
    async with database() as connection:
        await connection.execute("update followups.scheduler set swept_at = now()")


def batch_size() -> int:
    """How many mails to claim at once: what the sender's rate lets through in about ten seconds."""
    rate = settings().followups_mails_per_minute
    return max(2, min(25, int(rate // 6))) if rate else 25


async def claim(limit: int, batch: str = "") -> list[Claim]:
    """Claim up to `limit` due mails, at most one for each client; steps that are late are moved or skipped.

    Asked again for the same batch, it gives the claims that it gave, while the batch still holds them.
    """
    policy = Policy(
        gap=timedelta(hours=settings().followups_minimum_gap_hours),
        lateness=timedelta(hours=settings().followups_latest_hours),
        overdue=settings().followups_overdue,
    )
    async with database() as connection:
        if batch and (again := await rows(connection, _CLAIMS_OF_BATCH, {"batch": batch, "lease": LEASE_MINUTES})):
            return [Claim.model_validate(row) for row in again]
        await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        locked = {row["id"] for row in await rows(connection, _LOCK_CLIENTS, (limit,))}
        by_client: dict[int, list[dict[str, Any]]] = {}
        for row in await rows(connection, _DUE_OF_CLIENTS, (list(locked),)):
            by_client.setdefault(row["client_id"], []).append(row)
        claims: list[Claim] = []
        for due in by_client.values():
            claims += await _claim_of_client(connection, due, policy, batch)
    return claims


async def _claim_of_client(
    connection: AsyncConnection[Any], due: list[dict[str, Any]], policy: Policy, batch: str
) -> list[Claim]:
    by_task = {row["id"]: row for row in due}
    steps = [DueStep(row["id"], row["scheduled_for"], in_time=row["approved"]) for row in due]
    first = due[0]
    claims: list[Claim] = []
    for decision in catch_up(steps, first["now"], first["last_contact"], calendar_of(first), policy):
        match decision:
            case Move(task_id, to, reason):
                await tasks.move(connection, task_id, to, reason)
            case Skip(task_id, reason):
                await tasks.end(connection, task_id, "skipped", reason)
            case Send(task_id):
                values = {**by_task[task_id], "lease": LEASE_MINUTES, "batch": batch or None}
                claims += [Claim.model_validate(row) for row in await rows(connection, _CLAIM, values)]
    return claims
