"""call_http beyond what is recorded: tokens, time limits, repeated headers."""

import json
from collections.abc import Callable
from typing import Any, Self

import httpx
import pytest

from local.host.durable.taskhub import http_activity

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], None]:
    """Answers every request of call_http with a function."""
    client = httpx.AsyncClient

    def answer(handler: Handler) -> None:
        transport = httpx.MockTransport(handler)
        monkeypatch.setattr(http_activity.httpx, "AsyncClient", lambda **more: client(transport=transport, **more))

    return answer


async def test_repeated_headers_are_joined_and_content_headers_left_out(outside: Any) -> None:
    headers = [("x-a", "1"), ("X-A", "2"), ("content-type", "text/plain"), ("expires", "0"), ("www-authenticate", "b")]
    outside(lambda _: httpx.Response(401, headers=headers, text="no"))
    result = json.loads(await http_activity.send(json.dumps({"method": "GET", "uri": "http://x/"})))
    assert result == {"statusCode": 401, "headers": {"X-A": "1,2", "Www-Authenticate": "b"}, "content": "no"}


async def test_a_late_answer_fails_the_activity(outside: Any) -> None:
    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    outside(late)
    with pytest.raises(http_activity.RequestFailed, match="Timeout of 100 seconds"):
        await http_activity.send(json.dumps({"method": "GET", "uri": "http://x/"}))


async def test_a_token_source_signs_the_request(outside: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    sent: list[str] = []

    class Credential:
        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

        async def get_token(self, scope: str) -> Any:
            asked.append(scope)
            return type("Token", (), {"token": "secret"})

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["Authorization"])
        return httpx.Response(200)

    monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", Credential)
    outside(answer)
    source = {"kind": "AzureManagedIdentity", "resource": "https://management.core.windows.net/"}
    await http_activity.send(json.dumps({"method": "GET", "uri": "http://x/", "tokenSource": source}))
    assert asked == ["https://management.core.windows.net/.default"]
    assert sent == ["Bearer secret"]


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://127.0.0.1:9/", "Connection refused (127.0.0.1:9)"),
        ("http://localhost:9/", "Connection refused (localhost:9)"),
        ("/relative", "An error occurred while sending the request. Request URL is missing"),
        ("http://x:y/", "An error occurred while sending the request. Invalid port"),
    ],
)
async def test_a_request_that_cannot_be_sent_fails_the_activity(uri: str, reason: str) -> None:
    with pytest.raises(http_activity.RequestFailed) as failed:
        await http_activity.send(json.dumps({"method": "GET", "uri": uri}))
    assert str(failed.value).startswith(reason)


async def test_a_header_that_cannot_be_sent_fails_the_activity() -> None:
    with pytest.raises(http_activity.RequestFailed, match="ascii"):
        await http_activity.send(json.dumps({"method": "GET", "uri": "http://x/", "headers": {"X-A": "\u00e9"}}))
