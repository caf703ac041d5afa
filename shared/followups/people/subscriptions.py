"""Who has asked not to be written to. It holds for the address, also after the client was deleted.

An agent may decide to write to a client again who has agreed; for others the address stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.followups.people import tasks
from shared.followups.people.refusals import unknown_client
from shared.platform.calls.retry import Backoff, Time, retry
from shared.platform.errors import Conflict, NotFound
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection

    from shared.followups.people.models import Client


_PATIENT = Backoff(limit=5, first_delay=0.05, longest_delay=1)


async def check_link(key: UUID) -> None:
    """Look whether a mail has this unsubscribe key.

    Raises:
        NotFound: no mail has it.
    """
    async with database() as connection:
        if not await rows(connection, "select from followups.emails where unsubscribe_key = %s", (key,)):
            raise _unknown_link()


async def unsubscribe(key: UUID) -> None:
    """End the cadence for whom the mail with this key was written to; may be repeated.

    It is tried again where the database breaks it off: mailboxes do not repeat their one click.

    Raises:
        NotFound: no mail has this key.
    """

    async def attempt(_left: float) -> None:
        await _unsubscribe(key)

    await retry(attempt, _PATIENT, Time())


async def _unsubscribe(key: UUID) -> None:
    async with database() as connection:
        emails = await rows(
            connection,
            "select coalesce(e.recipient, c.email) as address, c.id as client from followups.emails e"
            " join followups.clients c on c.id = e.client_id where e.unsubscribe_key = %s",
            (key,),
        )
        if not emails:
            raise _unknown_link()
        address = emails[0]["address"]
        # The person may have another address by now, or be another entry since two were merged.
        clients = await rows(
            connection,
            "update followups.clients set email_unsubscribed = true, updated_at = now() where id in"
            " (select unnest(array[id, followups.living_client(id)]) from followups.clients"
            " where email = %s or id = %s) returning id",
            (address, emails[0]["client"]),
        )
        ids = [row["id"] for row in clients]
        await tasks.end_pending(connection, ids, "cancelled", "unsubscribed", mails_only=True)
        await connection.execute(
            "insert into followups.suppressions (address, scope, reason) values (%s, 'cadence', 'unsubscribed')"
            " on conflict (address) do update set created_at = now()",
            (address,),
        )


async def allow_again(agent_id: int, client_id: int, reason: str) -> None:
    """Let the agent write to a client again who had unsubscribed or whose mailbox put mails off; may be repeated.

    What was cancelled stays cancelled. The decision is kept with its reason, and ends when the client says no again.

    Raises:
        NotFound: the client is not the agent's.
        Conflict: the client complained, or there is no such mailbox: no agent can take that back.
    """
    async with database() as connection:
        await _allow(connection, agent_id, client_id, reason)


async def decide(connection: AsyncConnection[Any], client: Client, *, unsubscribed: bool) -> None:
    """Note what the agent enters in the client's record, in the caller's transaction.

    Raises:
        Conflict: as `allow_again`.
    """
    if not unsubscribed:
        await _allow(connection, client.agent_id, client.id, "entered in the client's record")
        return
    await connection.execute(
        "delete from followups.allowed_again where agent_id = %s and address = %s", (client.agent_id, client.email)
    )
    await connection.execute(
        "update followups.clients set email_unsubscribed = true, updated_at = now() where id = %s", (client.id,)
    )


async def _allow(connection: AsyncConnection[Any], agent_id: int, client_id: int, reason: str) -> None:
    clients = await rows(
        connection,
        "select c.email, exists (select from followups.suppressions s where s.address = c.email"
        " and (s.scope = 'all' or s.reason = 'complaint'))"
        " or exists (select from followups.emails e where e.delivery = 'complained'"
        " and (e.recipient = c.email or followups.living_client(e.client_id) = c.id))"
        " as final from followups.clients c where c.agent_id = %s and c.id = %s and not c.is_deleted"
        " for no key update",
        (agent_id, client_id),
    )
    if not clients:
        raise unknown_client()
    if clients[0]["final"]:
        raise Conflict(
            "The client complained, or the mailbox takes no mails.",
            code="not-yours-to-allow",
            remedy="Reach the client another way.",
        )
    await connection.execute(
        "insert into followups.allowed_again as known (agent_id, address, reason) values (%s, %s, %s)"
        " on conflict (agent_id, address) do update set reason = excluded.reason, decided_at = excluded.decided_at",
        (agent_id, clients[0]["email"], reason),
    )
    await connection.execute(
        "update followups.clients set email_unsubscribed = false, updated_at = now() where id = %s", (client_id,)
    )


def _unknown_link() -> NotFound:
    return NotFound("No mail has this link.", code="unknown-link")
