"""What the webhooks answer where nothing is to be recorded; the events themselves are tested where they are read."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

from shared.followups.events.providers import sns
from tests.fresh_settings import forget_settings
from tests.present import present
from triggers.followups.events import webhooks

SECRET = "whsec_" + base64.b64encode(b"a secret of the webhooks").decode()


async def post(route: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    [operation] = [each for each in webhooks.routes.operations if each.route == route]
    url = f"https://app.example.com{route}"
    answer = await operation.answer(func.HttpRequest(method="POST", url=url, headers=headers or {}, body=body))
    return present(answer.status_code), json.loads(answer.get_body())


async def resend(event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    body, moment = json.dumps(event).encode(), str(int(datetime.now(UTC).timestamp()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, b"msg_1." + moment.encode() + b"." + body, "sha256")).decode()
    signed = {"svix-id": "msg_1", "svix-timestamp": moment, "svix-signature": f"v1,{signature}"}
    return await post("/webhooks/resend", body, signed)


@pytest.fixture(autouse=True)
def _resend_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESEND_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.delenv("RESEND_API_KEY", raising=False)
    forget_settings()


async def test_a_received_mail_that_cannot_be_fetched_names_the_setting():
    status, problem = await resend({"type": "email.received", "created_at": "x", "data": {"email_id": "in-1"}})
    assert (status, problem["code"], problem["remedy"]) == (403, "settings", "Set RESEND_API_KEY.")


async def test_an_event_of_a_kind_that_says_nothing_of_a_mail_is_ignored():
    assert await resend({"type": "contact.created", "created_at": "x", "data": {}}) == (200, {"result": "ignored"})


@pytest.mark.parametrize(
    ("kind", "content"), [("UnsubscribeConfirmation", "{}"), ("Notification", '{"eventType": "Rendering Failure"}')]
)
async def test_a_message_of_sns_that_holds_no_event_is_ignored(monkeypatch: pytest.MonkeyPatch, kind, content):
    fields = dict.fromkeys(("TopicArn", "Timestamp", "Signature", "SigningCertURL", "MessageId"), "x")
    message = sns.SnsMessage.model_validate(
        fields | {"Type": kind, "Message": content, "SignatureVersion": "2", "SubscribeURL": "https://x"}
    )

    async def read(_: bytes) -> sns.SnsMessage:
        return message

    async def fetch(url: str) -> bytes:
        raise AssertionError(f"{url} is none to fetch")

    monkeypatch.setattr(sns, "read", read)
    monkeypatch.setattr(sns, "fetch", fetch)
    assert await post("/webhooks/ses", b"{}") == (200, {"result": "ignored"})
