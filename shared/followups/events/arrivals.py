"""What a mail that came in does: an answer ends the cadence, a notice of a mail server is an event of its mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from shared.followups.events import inbox, replies
from shared.followups.events.models import LONGEST_EVENT_ID, ProviderEvent
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.followups.events.inbound import Inbound
    from shared.followups.events.notices import Notice


async def receive(mail: Inbound) -> Literal["taken", "known", "ignored"]:
    """Record once what a mail says that came in; one that is no answer and no notice changes nothing."""
    if mail.notice is None:
        return await replies.record_reply(mail)
    return await _receive_notice(mail.notice, mail.message_id)


async def _receive_notice(notice: Notice, message_id: str) -> Literal["taken", "known", "ignored"]:
    async with database() as connection:
        emails = await rows(
            connection, "select id from followups.emails where message_key = %s::uuid", (notice.message_key,)
        )
    if not emails:
        return "ignored"
    event = ProviderEvent(
        provider="notice",
        event_id=message_id[:LONGEST_EVENT_ID],
        email_id=emails[0]["id"],
        kind=notice.kind,
        permanent=notice.permanent,
        happened_at=datetime.now(UTC),
        detail=notice.detail,
    )
    return "taken" if await inbox.record_event(event) else "known"
