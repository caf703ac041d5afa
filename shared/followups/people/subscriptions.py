"""Who has asked not to be written to. It holds for the address, also after the client was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.followups.people import tasks
from shared.platform.errors import NotFound
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from uuid import UUID


async def known(key: UUID) -> bool:
    """Whether a mail has this unsubscribe key."""
    async with database() as connection:
        return bool(await rows(connection, "select from followups.emails where unsubscribe_key = %s", (key,)))


async def unsubscribe(key: UUID) -> None:
    """End the cadence for whom the mail with this key was written to; may be repeated.

    Raises:
        NotFound: no mail has this key.
    """
    async with database() as connection:
        found = await rows(
            connection,
            "select coalesce(e.recipient, c.email) as address from followups.emails e"
            " join followups.clients c on c.id = e.client_id where e.unsubscribe_key = %s",
            (key,),
        )
        if not found:
            raise NotFound("No mail has this link.", code="unknown-link")
        address = found[0]["address"]
        await connection.execute(
            "insert into followups.suppressions (address, scope, reason) values (%s, 'cadence', 'unsubscribed')"
            " on conflict (address) do nothing",
            (address,),
        )
        clients = await rows(
            connection,
            "update followups.clients set email_unsubscribed = true, updated_at = now() where email = %s returning id",
            (address,),
        )
        ids = [row["id"] for row in clients]
        await tasks.end_pending(connection, ids, "cancelled", "unsubscribed", mails_only=True)
