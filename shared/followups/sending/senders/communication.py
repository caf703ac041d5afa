"""Azure Communication Services. We give each mail the id of its operation, the same in every attempt.

The SDK would repeat a request by itself; it is told not to. What became of a mail whose answer was lost, the operation
says; a mail that no operation knows may be handed over once more under the same id, later.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from shared.followups.sending.message import headers_beside, message_of, one_line
from shared.followups.sending.senders.base import (
    OF_THE_MAIL,
    account_refused,
    outcome,
    ready,
    throttled,
)
from shared.followups.steps import Outcome
from shared.platform.credentials import credential

if TYPE_CHECKING:
    from azure.communication.email.aio import EmailClient

    from shared.followups.sending.message import Mail

API = "2025-09-01"
CONNECT_SECONDS, ANSWER_SECONDS = 5, 30
OF_THE_SENDER = ("DomainNotLinked", "InvalidSenderUserName", "SenderNotFound")
"""Errors under these statuses that are about us, whoever is written to. All other statuses are about the account."""
ENDED_BADLY = ("Failed", "Canceled")


@dataclass(frozen=True, slots=True)
class CommunicationAccount:
    """Where and as whom to send.

    Attributes:
        key: access key of the resource; None: the app's identity.
    """

    endpoint: str
    key: str | None = None


class CommunicationSender:
    """Hands over by one request under the mail's own Operation-Id.

    The name that clients see beside the address is the one that the resource has for the sender: the API takes none.
    """

    name = "communication"

    def __init__(self, account: CommunicationAccount) -> None:
        self._account = account

    async def send(self, mail: Mail) -> Outcome:
        """As the port says."""
        async with self._client() as client:
            outcome = await self._post(client, mail)
            if outcome.kind != "unknown":
                return outcome
            return await self._look_up(client, mail) or outcome

    async def find_out(self, mail: Mail) -> Outcome | None:
        """What the operation says; None if there is no operation of this id: then the mail was not taken."""
        async with self._client() as client:
            return await self._look_up(client, mail)

    def may_repeat(self, mail: Mail) -> bool:  # noqa: ARG002 - as the port says
        """Under the same Operation-Id, when no operation of this id is known."""
        return True

    async def _post(self, client: EmailClient, mail: Mail) -> Outcome:
        from azure.core.exceptions import (  # noqa: PLC0415 - loads in the activity that needs it
            AzureError,
            HttpResponseError,
            ServiceRequestError,
        )

        payload = ready(self.name, mail, _payload)
        if isinstance(payload, Outcome):
            return payload
        try:
            await client.begin_send(payload, operation_id=str(mail.key), polling=False)
        except HttpResponseError as error:
            return self._answered(error.status_code, str(error.message))
        except ServiceRequestError as error:
            return self._outcome("postponed", "unreachable", str(error))
        except AzureError as error:
            return self._outcome("unknown", "answer-lost", f"{type(error).__name__}: {error}")
        return self._accepted(mail)

    async def _look_up(self, client: EmailClient, mail: Mail) -> Outcome | None:
        """What became of the mail; None if the operation is not known, or nobody answers: then nothing is decided."""
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - as above
        from azure.core.rest import HttpRequest  # noqa: PLC0415 - as above

        request = HttpRequest("GET", f"{{endpoint}}/emails/operations/{mail.key}", params={"api-version": API})
        try:
            answer = await client.send_request(request)
            if answer.status_code == HTTPStatus.NOT_FOUND:
                return None
            answer.raise_for_status()
            status: dict[str, Any] = answer.json()
        except (AzureError, ValueError) as error:
            return self._outcome("unknown", "no-look-up", f"{type(error).__name__}: {error}")
        if status.get("status") in ENDED_BADLY:
            reason: dict[str, Any] = status.get("error") or {}
            return self._outcome("refused", str(reason.get("code", status["status"])), str(reason.get("message", "")))
        return self._accepted(mail)

    def _answered(self, status: int | None, text: str) -> Outcome:
        if status is None:
            # There was no answer of the service: the app's identity got no token.
            return self._outcome("postponed", "no-token", text)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
            return self._outcome("unknown", str(status), text)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return throttled(self.name, str(status), text)
        if status in OF_THE_MAIL and not any(name in text for name in OF_THE_SENDER):
            return self._outcome("refused", str(status), text)
        return account_refused(self.name, f"{status} {text}")

    def _accepted(self, mail: Mail) -> Outcome:
        return Outcome(kind="accepted", provider=self.name, provider_id=str(mail.key))

    def _outcome(self, kind: Literal["refused", "postponed", "unknown"], code: str, text: str) -> Outcome:
        return outcome(self.name, kind, code, text)

    def _client(self) -> EmailClient:
        from azure.communication.email.aio import EmailClient  # noqa: PLC0415 - loads in the activity that needs it
        from azure.core.credentials import AzureKeyCredential  # noqa: PLC0415 - as above

        key = self._account.key
        return EmailClient(
            self._account.endpoint,
            AzureKeyCredential(key) if key else credential(),
            api_version=API,
            retry_total=0,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
        )


def _payload(mail: Mail) -> Any:
    message = message_of(mail)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return {
        "senderAddress": mail.sender,
        "recipients": {"to": [{"address": mail.recipient, "displayName": one_line(mail.recipient_name)}]},
        "replyTo": [{"address": mail.reply_to}],
        "content": {"subject": one_line(mail.subject), "plainText": text.get_content(), "html": html.get_content()},
        "headers": headers_beside(message),
    }
