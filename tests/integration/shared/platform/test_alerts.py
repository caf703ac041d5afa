"""One mail per cause and day, whatever happens on the way."""

import asyncio

import pytest

from local.smtp.sink import Rejection, Sink
from shared.platform.alerts import Alert, send_once
from shared.platform.errors import TransientError
from shared.platform.mail import Mail
from shared.platform.postgres import database

ALERT = Alert("nivoda/partitions-failed", "Partitions failed", "p001: why")

pytestmark = pytest.mark.usefixtures("migrated")


async def states() -> list[tuple[str, str]]:
    async with database() as db:
        return await (await db.execute("select cause, state from platform.alerts_sent order by 1")).fetchall()


async def rewind(by: str) -> None:
    async with database() as db:
        await db.execute("update platform.alerts_sent set claimed_at = claimed_at - %s::interval", (by,))


async def test_rule_one_mail_per_cause_and_day(mails: Sink):
    assert await send_once(ALERT)
    assert not await send_once(ALERT)
    assert [mail.subject for mail in mails.mails(10)] == ["Partitions failed"]
    assert await states() == [(ALERT.cause, "sent")]


async def test_of_many_at_once_one_sends(mails: Sink):
    assert sum(await asyncio.gather(*(send_once(ALERT) for _ in range(8)))) == 1
    assert len(mails.mails(10)) == 1


async def test_the_next_day_it_is_mailed_again(mails: Sink):
    await send_once(ALERT)
    async with database() as db:
        await db.execute("update platform.alerts_sent set day = day - 1")
    assert await send_once(ALERT)


async def test_another_cause_is_another_mail(mails: Sink):
    await send_once(ALERT)
    assert await send_once(Alert("nivoda/consolidation-held", "Held", "why"))


async def test_a_failed_send_releases_the_cause(mails: Sink):
    mails.reject(Rejection(address="*", code=451, times=1))
    with pytest.raises(TransientError):
        await send_once(ALERT)
    assert await states() == []
    assert await send_once(ALERT)


class Dying:
    """A process that is gone before it can tell whether its mail went out."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        self.mails.append(mail)
        raise asyncio.CancelledError


async def test_the_claim_of_a_process_that_died_is_taken_over_with_the_same_key(mails: Sink):
    dying = Dying()
    with pytest.raises(asyncio.CancelledError):
        await send_once(ALERT, dying)
    await rewind("9 minutes")
    assert not await send_once(ALERT)
    await rewind("2 minutes")
    later = Dying()
    with pytest.raises(asyncio.CancelledError):
        await send_once(ALERT, later)
    assert [mail.key for mail in later.mails] == [mail.key for mail in dying.mails]
    await rewind("11 minutes")
    assert await send_once(ALERT)
    assert len(mails.mails(10)) == 1
