"""Records a provider's event once: it settles what nobody knew, moves the mail's two axes, and suppresses addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.followups import alerts
from shared.followups.events.engagement import Look, engagement
from shared.followups.sending import outbox
from shared.followups.sending.checking import brakes
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from shared.followups.events.models import ProviderEvent

MOST_DEFERRALS = 3
"""Mails in a month that were put off and never arrived; then the address is not written to any more."""
_DEFERRED = "deferred-too-often"

_DELIVERY = """
update followups.emails set updated_at = now(), delivery =
    followups.graver(%(kind)s, delivery, 'none', 'deferred', 'delivered', 'bounced', 'complained')
where id = %(id)s
"""


async def record_event(event: ProviderEvent) -> bool:
    """Store the event and what follows from it; False if it is stored already."""
    async with database() as connection:
        mail = await _locked_mail(connection, event)
        stored = await connection.execute(
            "insert into followups.provider_events"
            " (provider, event_id, email_id, kind, permanent, happened_at, user_agent, ip, detail)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            (
                *(event.provider, event.event_id, mail["id"] if mail else None, event.kind, event.permanent),
                *(event.happened_at, event.user_agent, event.ip, event.detail),
            ),
        )
        if not stored.rowcount:
            return False
        if mail is None:
            return True
        await outbox.settle_as_sent(connection, mail["id"], event.provider, event.provider_id)
        if event.kind in ("opened", "clicked"):
            await _note_engagement(connection, mail)
        elif event.kind != "sent":
            await connection.execute(_DELIVERY, {"kind": event.kind, "id": mail["id"]})
            await _suppress(connection, event, mail)
    if event.kind == "complained":
        await _brake()
    return True


async def _locked_mail(connection: AsyncConnection[Any], event: ProviderEvent) -> dict[str, Any] | None:
    """The mail of the event, which nobody else changes from here on; None if it is none that was handed over."""
    named = await rows(
        connection,
        "select id from followups.emails where id = %s or message_key = %s",
        (event.email_id, event.key),
    )
    if not named:
        return None
    await outbox.lock_task(connection, named[0]["id"])
    mails = await rows(
        connection,
        "select id, client_id, recipient, coalesce(sending_at, first_sending_at) as sending_at"
        " from followups.emails where id = %s and coalesce(sending_at, first_sending_at) is not null",
        (named[0]["id"],),
    )
    return mails[0] if mails else None


async def _note_engagement(connection: AsyncConnection[Any], mail: dict[str, Any]) -> None:
    looks = await rows(
        connection,
        "select kind, happened_at as at, user_agent, ip from followups.provider_events"
        " where email_id = %s and kind in ('opened', 'clicked')",
        (mail["id"],),
    )
    engaged = engagement([Look(**look) for look in looks], mail["sending_at"])
    await connection.execute(
        "update followups.emails set engagement = %s, opened_at = %s, clicked_at = %s, machine_opens = %s,"
        " machine_clicks = %s, updated_at = now() where id = %s",
        (
            *(engaged.level, engaged.opened_at, engaged.clicked_at, engaged.machine_opens, engaged.machine_clicks),
            mail["id"],
        ),
    )


async def _suppress(connection: AsyncConnection[Any], event: ProviderEvent, mail: dict[str, Any]) -> None:
    """A mailbox that is not there takes no mail at all; who complains or defers again and again, no follow-ups."""
    address = mail["recipient"]
    if event.kind == "bounced" and (event.permanent or event.listed):
        await _note(connection, address, "all", "provider-list" if event.listed else "bounce")
    elif event.kind == "complained":
        await _note(connection, address, "cadence", "complaint")
        # The person complained, whose address may be another by now.
        for client in await rows(
            connection,
            "select email from followups.clients where id = followups.living_client(%s) and email <> %s",
            (mail["client_id"], address),
        ):
            await _note(connection, client["email"], "cadence", "complaint")
    elif event.kind == "deferred" and await _defers_too_often(connection, address):
        await _note(connection, address, "cadence", _DEFERRED)
    elif event.kind == "delivered" and not await _defers_too_often(connection, address):
        await connection.execute(
            "delete from followups.suppressions where address = %s and scope = 'cadence' and reason = %s",
            (address, _DEFERRED),
        )


async def _defers_too_often(connection: AsyncConnection[Any], address: str) -> bool:
    """Mails count, not events: of one that arrives in the end there may be many."""
    [counted] = await rows(
        connection,
        "select count(distinct e.id) as n from followups.emails e join followups.provider_events p on p.email_id = e.id"
        " where e.recipient = %s and e.delivery = 'deferred' and p.kind = 'deferred'"
        " and p.received_at > now() - interval '30 days'",
        (address,),
    )
    return counted["n"] >= MOST_DEFERRALS


async def _note(connection: AsyncConnection[Any], address: str, scope: str, reason: str) -> None:
    await connection.execute(
        "insert into followups.suppressions as known (address, scope, reason)"
        " values (%(address)s, %(scope)s, %(reason)s)"
        " on conflict (address) do update set scope = excluded.scope, reason = excluded.reason, created_at = now()"
        " where known.scope = 'cadence' and (excluded.scope = 'all' or known.reason <> 'complaint')",
        {"address": address, "scope": scope, "reason": reason},
    )


async def _brake() -> None:
    """Warn at a tenth of a per cent of complaints, stop everything at three."""
    complaints = await brakes.complaints()
    if complaints.stop:
        await brakes.stop(f"{complaints.complaints} complaints of {complaints.sent} mails in 30 days")
    if complaints.warn:
        await alerts.alert_complaints(complaints.complaints, complaints.sent, stopped=complaints.stop)
