"""Mail to people when something needs them: one mail per cause and day (UTC), however many find it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.platform.errors import ManifoldError
from shared.platform.mail import Mail, Mailer, mailer
from shared.platform.postgres import database
from shared.platform.settings import settings

if TYPE_CHECKING:
    from datetime import date

STALE_CLAIM_MINUTES = 10
"""After this long a claim belongs to a process that died; one attempt to send takes a minute at most."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to people.

    Attributes:
        cause: what it is about, the same every time it happens: `nivoda/partitions-failed`.
    """

    cause: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class AlertKind:
    """A kind of alert that a workload sends, as its declaration lists it.

    Attributes:
        name: the last part of its alerts' causes.
        meaning: what has happened and what a person should do, in one line.
    """

    name: str
    meaning: str

    def about(self, what: str, *, subject: str, text: str) -> Alert:
        """The alert of this kind about one thing: a feed, a queue."""
        return Alert(f"{what}/{self.name}", subject, text)


async def send_once(alert: Alert, via: Mailer | None = None) -> bool:
    """Mail the alert unless its cause was mailed today or another process is sending it; True if this call sent it.

    The cause is claimed before sending and released when sending fails. A process that dies in between holds its claim
    for ten minutes; Resend then recognises the repeated key, over SMTP the mail may come twice.

    Raises:
        TransientError, TerminalError: the provider did not take the mail; the claim is released.
    """
    if via is None and settings().mail_provider == "none":
        extra = {"cause": alert.cause, "subject": alert.subject, "text": alert.text}
        logger.warning("An alert is not mailed: MAIL_PROVIDER is none.", extra=extra)
        return False
    day = await _claim(alert.cause)
    if day is None:
        logger.info("An alert was sent today already.", extra={"cause": alert.cause})
        return False
    mail = Mail(
        sender=settings().alert_email_from,
        to=settings().alert_email_to,
        subject=alert.subject,
        text=alert.text,
        key=f"alert/{alert.cause}/{day}",
    )
    try:
        await (via or mailer()).send(mail)
    except Exception:
        await _release(alert.cause, day)
        raise
    await _settle(alert.cause, day)
    logger.info("An alert was sent.", extra={"cause": alert.cause})
    return True


async def try_to_send(alert: Alert) -> None:
    """As `send_once`, for work that must not fail because the mail could not be sent: the log then has it."""
    try:
        await send_once(alert)
    except ManifoldError:
        logger.exception("An alert could not be sent.", extra={"cause": alert.cause, "subject": alert.subject})


async def _claim(cause: str) -> date | None:
    async with database() as db:
        row = await (
            await db.execute(
                """
                insert into platform.alerts_sent as mine (cause, day, state, claimed_at)
                values (%(cause)s, (now() at time zone 'UTC')::date, 'claimed', now())
                on conflict (cause, day) do update set claimed_at = now()
                    where mine.state = 'claimed' and mine.claimed_at < now() - make_interval(mins => %(stale)s)
                returning day
                """,
                {"cause": cause, "stale": STALE_CLAIM_MINUTES},
            )
        ).fetchone()
    return row[0] if row else None


async def _release(cause: str, day: date) -> None:
    async with database() as db:
        await db.execute(
            "delete from platform.alerts_sent where cause = %s and day = %s and state = 'claimed'", (cause, day)
        )


async def _settle(cause: str, day: date) -> None:
    async with database() as db:
        await db.execute(
            "update platform.alerts_sent set state = 'sent', sent_at = now() where cause = %s and day = %s",
            (cause, day),
        )
