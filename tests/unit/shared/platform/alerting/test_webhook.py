"""What a chat's webhook is sent, what becomes of its answers, and that its address stays secret."""

import json
import logging

import httpx
import pytest

from shared.platform.alerting import webhook
from shared.platform.errors import TerminalError, TransientError
from shared.platform.settings import PlatformSettings, settings
from tests.fresh_settings import forget_settings

SLACK = "https://hooks.slack.com/services/T000/B000/s3cr3tpart"
TEAMS = (
    "https://default1.ae.environment.api.powerplatform.com:443/powerautomate/workflows/1/triggers/manual?sig=s3cr3tpart"
)


class Chat:
    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    async def post(self, url: str = SLACK, text: str = "p001: why") -> None:
        await webhook.post(url, "Partitions failed", text, httpx.MockTransport(self))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_slack_gets_text_in_which_nothing_is_a_mention_or_a_link():
    chat = Chat(httpx.Response(200, text="ok"))
    await chat.post(text="<!channel> a & b")
    (request,) = chat.requests
    assert (request.method, str(request.url)) == ("POST", SLACK)
    assert json.loads(request.content) == {"text": "Partitions failed\n&lt;!channel&gt; a &amp; b"}


@pytest.mark.parametrize(
    "url", [TEAMS, "https://prod-12.uksouth.logic.azure.com:443/workflows/1?sig=x", "https://a.webhook.office.com/w"]
)
async def test_teams_gets_a_message_with_one_adaptive_card(url):
    chat = Chat(httpx.Response(202))
    await chat.post(url, "[a](https://b)\n\np001: why")
    sent = json.loads(chat.requests[0].content)
    (attachment,) = sent["attachments"]
    assert (sent["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert attachment["content"]["type"] == "AdaptiveCard"
    shown = [(part["type"], *(run["text"] for run in part["inlines"])) for part in attachment["content"]["body"]]
    assert shown == [(("RichTextBlock", text)) for text in ("Partitions failed", "[a](https://b)", "p001: why")]


async def test_a_long_text_is_cut_and_says_so():
    chat = Chat(httpx.Response(202))
    await chat.post(TEAMS, "é" * 100_000)
    assert len(chat.requests[0].content) < 28_000 * 1.5
    assert (
        "(cut; the log has all of it)"
        in json.loads(chat.requests[0].content)["attachments"][0]["content"]["body"][1]["inlines"][0]["text"]
    )


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(429, headers={"Retry-After": "7"}), TransientError),
        (httpx.Response(503), TransientError),
        (httpx.ConnectError(f"no route to {SLACK}"), TransientError),
        (httpx.Response(404, text=f"no_service {SLACK}"), TerminalError),
        (httpx.Response(302, headers={"Location": "https://elsewhere.test"}), TerminalError),
    ],
)
async def test_what_is_not_taken_is_an_error_that_does_not_show_the_address(answer, error, caplog):
    caplog.set_level(logging.DEBUG)
    chat = Chat(answer)
    with pytest.raises(error) as raised:
        await chat.post()
    assert len(chat.requests) == 1
    shown = [str(raised.value), repr(raised.value.__cause__), caplog.text]
    assert not [text for text in shown if "s3cr3tpart" in text]
    assert "hooks.slack.com" in str(raised.value)
    if isinstance(answer, httpx.Response) and answer.status_code == 429:
        assert raised.value.retry_after == 7


async def test_an_answer_that_drips_in_for_ever_ends(monkeypatch):
    monkeypatch.setattr(webhook, "POST_SECONDS", 0.1)

    async def drip():
        while True:
            yield b" "
            await webhook.asyncio.sleep(0.01)

    with pytest.raises(TransientError, match="did not answer: TimeoutError"):
        await Chat(httpx.Response(200, content=drip())).post()


@pytest.mark.parametrize("url", ["", "unset"])
def test_no_webhook_is_set(url, monkeypatch):
    monkeypatch.setenv("ALERT_WEBHOOK_URL", url)
    assert PlatformSettings(postgres_dsn="host=unused").alert_webhook_url is None


@pytest.mark.parametrize(
    "url", ["http://chat.test/s3cr3tpart", "s3cr3tpart", "file:///s3cr3tpart", "https:///s3cr3tpart"]
)
def test_only_https_is_spoken(url, monkeypatch):
    monkeypatch.setenv("ALERT_WEBHOOK_URL", url)
    monkeypatch.setenv("POSTGRES_DSN", "host=unused")
    forget_settings()
    with pytest.raises(TerminalError, match="ALERT_WEBHOOK_URL") as raised:
        settings()
    assert "s3cr3tpart" not in str(raised.value)
    forget_settings()
