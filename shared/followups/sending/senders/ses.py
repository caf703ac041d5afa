"""Amazon SES v2. It has no idempotency key, so that the SDK must not send again by itself, and nor do we.

The mail's number travels as a tag and comes back in every event: that settles a mail whose answer was lost.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from shared.followups.sending.message import message_of
from shared.followups.sending.senders.base import (
    TAG,
    account_refused,
    outcome,
    ready,
    throttled,
)
from shared.followups.steps import Outcome

if TYPE_CHECKING:
    from shared.followups.sending.message import Mail

CONNECT_SECONDS, ANSWER_SECONDS = 5, 30
THROTTLED = {"TooManyRequestsException", "LimitExceededException", "ThrottlingException", "Throttling"}
OF_THE_MAIL = {"MessageRejected", "BadRequestException", "ValidationException"}
OF_THE_SENDER = ("not verified", "authority to send")
"""Errors about the mail itself, unless their text says that they are about us. All others are about the account."""
TIMED_OUT, TOO_MANY, SERVER_ERROR = 408, 429, 500


@dataclass(frozen=True, slots=True)
class SesAccount:
    """Where and as whom to send.

    Attributes:
        configuration_set: what publishes the events of the mails; "" for none.
        endpoint: in place of the region's own; tests have one.
    """

    region: str
    access_key_id: str
    secret_access_key: str
    configuration_set: str = ""
    endpoint: str | None = None


class SesSender:
    """Hands over by one request; each mail is tagged with its number."""

    name = "ses"

    def __init__(self, account: SesAccount) -> None:
        self._account = account

    async def send(self, mail: Mail) -> Outcome:
        """As the port says."""
        return await asyncio.to_thread(self._send, mail)

    async def find_out(self, mail: Mail) -> Outcome | None:  # noqa: ARG002 - as the port says
        """SES looks a mail up by an id that a lost answer never gave; its event tells."""
        return None

    def may_repeat(self, mail: Mail) -> bool:  # noqa: ARG002 - as the port says
        """Never: a second request would be a second mail."""
        return False

    def _send(self, mail: Mail) -> Outcome:
        from botocore.exceptions import (  # noqa: PLC0415 - loads in the activity that needs it
            BotoCoreError,
            ClientError,
            ConnectTimeoutError,
            EndpointConnectionError,
        )

        client = _client(self._account)
        content = ready(self.name, mail, lambda mail: message_of(mail).as_bytes())
        if isinstance(content, Outcome):
            return content
        request: dict[str, Any] = {
            "FromEmailAddress": mail.sender,
            "Destination": {"ToAddresses": [mail.recipient]},
            "ReplyToAddresses": [mail.reply_to],
            "Content": {"Raw": {"Data": content}},
            "EmailTags": [{"Name": TAG, "Value": str(mail.email_id)}],
        }
        if self._account.configuration_set:
            request["ConfigurationSetName"] = self._account.configuration_set
        try:
            answer = client.send_email(**request)
        except ClientError as error:
            return self._answered(error.response)
        except (EndpointConnectionError, ConnectTimeoutError) as error:
            return self._outcome("postponed", "unreachable", str(error))
        except BotoCoreError as error:
            return self._outcome("unknown", "answer-lost", f"{type(error).__name__}: {error}")
        message_id = str(answer.get("MessageId") or "")[:200]
        return Outcome(kind="accepted", provider=self.name, provider_id=message_id or None)

    def _answered(self, response: Any) -> Outcome:
        code, text = str(response["Error"]["Code"]), str(response["Error"].get("Message", ""))
        status = response["ResponseMetadata"]["HTTPStatusCode"]
        if code in THROTTLED or status == TOO_MANY:
            return throttled(self.name, code, text)
        if status >= SERVER_ERROR or status == TIMED_OUT:
            return self._outcome("unknown", code, text)
        if code in OF_THE_MAIL and not any(words in text for words in OF_THE_SENDER):
            return self._outcome("refused", code, text)
        return account_refused(self.name, f"{code}: {text}")

    def _outcome(self, kind: Literal["refused", "postponed", "unknown"], code: str, text: str) -> Outcome:
        return outcome(self.name, kind, code, text)


@cache
def _client(account: SesAccount) -> Any:
    from boto3.session import Session  # noqa: PLC0415 - loads in the activity that needs it
    from botocore.config import Config  # noqa: PLC0415 - as above

    session: Any = Session()
    return session.client(
        "sesv2",
        region_name=account.region,
        endpoint_url=account.endpoint,
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret_access_key,
        config=Config(
            retries={"total_max_attempts": 1},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            tcp_keepalive=True,
        ),
    )
