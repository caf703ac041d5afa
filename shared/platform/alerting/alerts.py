"""Messages to people when something needs them: one per cause, day (UTC) and channel, however many find it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from shared.platform.alerting import webhook
from shared.platform.alerting.mail import Mail, Mailer, mailer
from shared.platform.errors import ManifoldError, TransientError
from shared.platform.settings import settings
from shared.platform.stores.postgres import database

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


@dataclass(frozen=True, slots=True)
class _Channel:
    """One way to people.

    Attributes:
        name: "mail" or "webhook".
        send: hands the alert over, under a key that names the alert and the day.
    """

    name: str
    send: Callable[[Alert, str], Awaitable[None]]

    def claims(self, alert: Alert) -> str:
        """What stands in platform.alerts_sent: the channels are claimed apart, so that one may fail by itself."""
        return alert.cause if self.name == "mail" else f"{alert.cause}#{self.name}"


async def send_once(alert: Alert, via: Mailer | None = None) -> bool:
    """Mail the alert and post it to the webhook, each once per cause and day; True if this call sent it by either.

    A channel's cause is claimed before sending and released when sending fails. A process that dies in between holds
    its claim for ten minutes; Resend then recognises the repeated key, else the message may come twice.

    Raises:
        TransientError, TerminalError: a channel did not take the message. The others were tried, its claim is released,
            and the next call sends by this one alone.
    """
    channels = _channels(via)
    if not channels:
        extra = {"cause": alert.cause, "subject": alert.subject, "text": alert.text}
        logger.warning("An alert is not sent: MAIL_PROVIDER is none, and ALERT_WEBHOOK_URL is unset.", extra=extra)
    sent, failures = False, list[ManifoldError]()
    for channel in channels:
        try:
            sent |= await _send_by(channel, alert)
        except ManifoldError as error:
            failures.append(error)
            extra = {"cause": alert.cause, "channel": channel.name}
            logger.warning("A channel did not take an alert: %s", error, extra=extra)
    if failures:
        # What can be tried again comes first, so that it is.
        raise next((one for one in failures if isinstance(one, TransientError)), failures[0])
    return sent


def _channels(via: Mailer | None) -> list[_Channel]:
    found: list[_Channel] = []
    if via is not None or settings().mail_provider != "none":
        found.append(_Channel("mail", partial(_mail, via)))
    if settings().alert_webhook_url is not None:
        found.append(_Channel("webhook", _post))
    return found


async def _send_by(channel: _Channel, alert: Alert) -> bool:
    cause = channel.claims(alert)
    extra = {"cause": alert.cause, "channel": channel.name}
    day = await _claim(cause)
    if day is None:
        logger.info("An alert was sent today already.", extra=extra)
        return False
    try:
        await channel.send(alert, f"alert/{alert.cause}/{day}")
    except Exception:
        await _release(cause, day)
        raise
    await _settle(cause, day)
    logger.info("An alert was sent.", extra=extra)
    return True


async def _mail(via: Mailer | None, alert: Alert, key: str) -> None:
    mail = Mail(
        sender=settings().alert_email_from,
        to=settings().alert_email_to,
        subject=alert.subject,
        text=alert.text,
        key=key,
    )
    await (via or mailer()).send(mail)


async def _post(alert: Alert, _key: str) -> None:
    url = settings().alert_webhook_url
    if url is not None:
        await webhook.post(url.get_secret_value(), alert.subject, alert.text)


async def try_to_send(alert: Alert) -> None:
    """As `send_once`, for work that must not fail because nobody could be told: the log then has it."""
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
