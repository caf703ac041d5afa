"""The Resend API. It remembers a key for 24 hours and delivers it once, so that a request may be repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from shared.followups.sending.message import headers_beside, message_of, one_line
from shared.followups.sending.senders.base import (
    OF_THE_MAIL,
    TAG,
    account_refused,
    outcome,
    ready,
    throttled,
)
from shared.followups.steps import Outcome

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport, Response

    from shared.followups.sending.message import Mail

ANSWER_SECONDS = 30
OF_THE_SENDER = ("invalid_from_address", "domain is not verified")
"""Errors under these statuses that are about us, whoever is written to. All other statuses are about the account."""
REMEMBERED = timedelta(hours=23)
"""How long a key is taken to be known; Resend promises an hour more."""


class ResendSender:
    """Hands over by one POST with the mail's key; httpx sends none again by itself."""

    name = "resend"

    def __init__(self, endpoint: str, api_key: str, transport: AsyncBaseTransport | None = None) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._api_key = api_key
        self._transport = transport

    async def send(self, mail: Mail) -> Outcome:
        """As the port says."""
        from httpx import AsyncClient, ConnectError, ConnectTimeout, HTTPError  # noqa: PLC0415 - loads where needed

        payload = ready(self.name, mail, _payload)
        if isinstance(payload, Outcome):
            return payload
        try:
            async with AsyncClient(transport=self._transport, timeout=ANSWER_SECONDS) as client:
                answer = await client.post(
                    f"{self._endpoint}/emails",
                    headers={"Authorization": f"Bearer {self._api_key}", "Idempotency-Key": f"followup/{mail.key}"},
                    json=payload,
                )
        except (ConnectError, ConnectTimeout) as error:
            return self._outcome("postponed", "unreachable", type(error).__name__)
        except HTTPError as error:
            return self._outcome("unknown", "answer-lost", type(error).__name__)
        return self._answered(answer)

    async def find_out(self, mail: Mail) -> Outcome | None:  # noqa: ARG002 - as the port says
        """Resend looks a mail up by an id that a lost answer never gave; the same request again tells."""
        return None

    def may_repeat(self, mail: Mail) -> bool:
        """While the key is remembered: what was taken is not taken again, what never arrived is sent then."""
        return mail.sending_at is not None and datetime.now(UTC) - mail.sending_at <= REMEMBERED

    def _answered(self, answer: Response) -> Outcome:
        reply = f"{answer.status_code} {answer.text[:400]}"
        if answer.is_success:
            return Outcome(kind="accepted", provider=self.name, provider_id=_id_of(answer))
        if answer.is_server_error or answer.status_code == HTTPStatus.CONFLICT:
            # An error of theirs may come after they took the mail, and a conflict says that the key is in use.
            return self._outcome("unknown", str(answer.status_code), reply)
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            return throttled(self.name, str(answer.status_code), reply)
        if answer.status_code in OF_THE_MAIL and not any(name in answer.text for name in OF_THE_SENDER):
            return self._outcome("refused", str(answer.status_code), reply)
        return account_refused(self.name, reply)

    def _outcome(self, kind: Literal["refused", "postponed", "unknown"], code: str, text: str) -> Outcome:
        return outcome(self.name, kind, code, text)


def _id_of(answer: Any) -> str | None:
    try:
        return str(answer.json()["id"])[:200]
    except (ValueError, KeyError, TypeError):
        return None


def _payload(mail: Mail) -> dict[str, Any]:
    message = message_of(mail)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return {
        "from": str(message["From"]),
        "to": [mail.recipient],
        "reply_to": mail.reply_to,
        "subject": one_line(mail.subject),
        "text": text.get_content(),
        "html": html.get_content(),
        "headers": headers_beside(message),
        "tags": [{"name": TAG, "value": str(mail.email_id)}],
    }
