"""One mail per cause and day, whatever happens on the way."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from local.smtp.sink import Rejection, Sink
from shared.platform.alerting.alerts import Alert, send_once
from shared.platform.alerting.mail import Mail
from shared.platform.errors import TransientError
from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings

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


class Chat:
    """What stands in for Slack: keeps what is posted, and answers what it is set to."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.status = 200


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    kept = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if kept.status == 200:
                kept.posted.append(json.loads(body))
            self.send_response(kept.status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server names it
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("ALERT_WEBHOOK_URL", f"http://127.0.0.1:{server.server_port}/services/s3cr3t")
    forget_settings()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()
    forget_settings()


async def test_an_alert_is_mailed_and_posted_once(mails: Sink, chat: Chat):
    assert await send_once(ALERT)
    assert not await send_once(ALERT)
    assert len(mails.mails(10)) == 1
    assert chat.posted == [{"text": "Partitions failed\np001: why"}]
    assert await states() == [(ALERT.cause, "sent"), (f"{ALERT.cause}#webhook", "sent")]


async def test_a_chat_that_fails_does_not_cost_the_mail_and_is_tried_again_alone(
    mails: Sink, chat: Chat, caplog: pytest.LogCaptureFixture
):
    chat.status = 503
    with pytest.raises(TransientError, match="503"):
        await send_once(ALERT)
    assert (len(mails.mails(10)), chat.posted) == (1, [])
    chat.status = 200
    assert await send_once(ALERT)
    assert (len(mails.mails(10)), len(chat.posted)) == (1, 1)
    assert "s3cr3t" not in caplog.text


async def test_a_relay_that_fails_does_not_cost_the_post_and_is_tried_again_alone(mails: Sink, chat: Chat):
    mails.reject(Rejection(address="*", code=451, times=1))
    with pytest.raises(TransientError):
        await send_once(ALERT)
    assert (mails.mails(10), len(chat.posted)) == ([], 1)
    assert await send_once(ALERT)
    assert (len(mails.mails(10)), len(chat.posted)) == (1, 1)


async def test_what_can_be_tried_again_is_what_is_raised(mails: Sink, chat: Chat):
    chat.status = 404
    mails.reject(Rejection(address="*", code=451, times=1))
    with pytest.raises(TransientError):
        await send_once(ALERT)


async def test_a_chat_alone_is_enough(chat: Chat, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MAIL_PROVIDER", "none")
    forget_settings()
    assert await send_once(ALERT)
    assert len(chat.posted) == 1
