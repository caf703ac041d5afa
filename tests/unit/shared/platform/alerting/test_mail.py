"""What Resend is sent, and what becomes of its answers."""

import json

import httpx
import pytest

from shared.platform.alerting.alerts import Alert, send_once
from shared.platform.alerting.mail import Mail, ResendMailer, SmtpMailer, mailer
from shared.platform.errors import TerminalError, TransientError
from tests.fresh_settings import forget_settings

MAIL = Mail("manifold@example.com", "ops@example.com", "Held", "Look here.", "alert/nivoda/2026-01-01")


class Resend:
    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    async def send(self) -> None:
        await ResendMailer("https://resend.test/", "re_secret", httpx.MockTransport(self)).send(MAIL)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_resend_gets_the_mail_with_its_key():
    resend = Resend(httpx.Response(200, json={"id": "1"}))
    await resend.send()
    (request,) = resend.requests
    assert str(request.url) == "https://resend.test/emails"
    assert request.headers["Authorization"] == "Bearer re_secret"
    assert request.headers["Idempotency-Key"] == MAIL.key
    assert json.loads(request.content) == {
        "from": "manifold@example.com",
        "to": ["ops@example.com"],
        "subject": "Held",
        "text": "Look here.",
    }


async def test_a_key_that_was_delivered_with_another_text_is_delivered():
    await Resend(httpx.Response(409, json={"name": "invalid_idempotent_request"})).send()


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (httpx.Response(429, headers={"Retry-After": "3"}), 3),
        (httpx.Response(500), None),
        (httpx.Response(409, json={"name": "concurrent_idempotent_requests"}), None),
        (httpx.ReadTimeout("slow"), None),
        (httpx.ConnectError("refused"), None),
    ],
    ids=str,
)
async def test_what_may_pass_is_transient(answer, wait):
    with pytest.raises(TransientError) as raised:
        await Resend(answer).send()
    assert (raised.value.code, raised.value.retry_after) == ("mail-unavailable", wait)


@pytest.mark.parametrize("status", [400, 401, 403, 422])
async def test_what_cannot_pass_is_terminal_and_says_what_to_check(status):
    with pytest.raises(TerminalError, match="RESEND_API_KEY") as raised:
        await Resend(httpx.Response(status, text="domain not verified")).send()
    assert "domain not verified" in raised.value.message
    assert "re_secret" not in str(raised.value)


@pytest.fixture
def configure(monkeypatch):
    def set_all(**values: str) -> None:
        for name, value in {"postgres_dsn": "host=unused", **values}.items():
            monkeypatch.setenv(name.upper(), value)
        forget_settings()

    yield set_all
    forget_settings()


def test_the_provider_is_a_setting(configure):
    configure()
    assert isinstance(mailer(), SmtpMailer)
    configure(mail_provider="resend", resend_api_key="re_secret")
    assert isinstance(mailer(), ResendMailer)


async def test_where_nobody_delivers_mail_the_log_has_the_alert(configure, caplog):
    """Without a database, which only the claim of a mail would need."""
    configure(mail_provider="none")
    with pytest.raises(TerminalError, match="MAIL_PROVIDER is none"):
        mailer()
    assert not await send_once(Alert("nivoda/held", "Held", "why"))
    (record,) = caplog.records
    assert (record.cause, record.subject, record.text) == ("nivoda/held", "Held", "why")


def test_resend_without_a_key_is_refused(configure):
    configure(mail_provider="resend")
    with pytest.raises(TerminalError, match="RESEND_API_KEY"):
        mailer()
