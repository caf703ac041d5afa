"""Messages of Amazon SNS: nothing is fetched before the topic is known to be ours, and the address to be of SNS."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, StringConstraints, ValidationError

from shared.followups.events.models import LONGEST_EVENT_ID
from shared.followups.settings import settings
from shared.platform.errors import Forbidden, InvalidInput, TransientError, Unauthenticated
from shared.platform.models import LazyModel

HOST = re.compile(r"sns\.([a-z0-9-]{3,30})\.amazonaws\.com(\.cn)?")
CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{20,80}\.pem")
FETCH_SECONDS = 10
LARGEST = 20_000
Value = Annotated[str, StringConstraints(max_length=300_000)]


class SnsMessage(LazyModel):
    """A message as SNS posts it; the names are those of SNS."""

    model_config = ConfigDict(frozen=True)
    Type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    MessageId: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_EVENT_ID)]
    TopicArn: Value
    Message: Value
    Timestamp: Value
    SignatureVersion: Literal["1", "2"]
    Signature: Value
    SigningCertURL: Value
    Subject: Value | None = None
    Token: Value | None = None
    SubscribeURL: Value | None = None

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        unsigned = {"SubscribeURL", "Token"} if self.Type == "Notification" else {"Subject"}
        values = {name: getattr(self, name) for name in names if name not in unsigned}
        return "".join(f"{name}\n{value}\n" for name, value in values.items() if value is not None).encode()


async def fetch(url: str) -> bytes:
    """What is at an address of SNS; redirects are not followed."""
    from httpx import AsyncClient, HTTPError  # noqa: PLC0415 - loads where it is needed

    try:
        async with AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as client:
            answer = await client.get(url)
    except HTTPError as error:
        raise TransientError(f"SNS did not answer: {type(error).__name__}.", code="sns-unavailable") from error
    if not answer.is_success or len(answer.content) > LARGEST:
        raise TransientError(f"SNS answered {answer.status_code}.", code="sns-unavailable")
    return answer.content


async def read(body: bytes) -> SnsMessage:
    """The message, which is from SNS and of a topic of ours.

    Raises:
        InvalidInput: it is no message of SNS.
        Forbidden: it is of another topic, or its certificate or address of confirmation is somewhere else than at SNS.
        Unauthenticated: its signature is wrong.
        TransientError: SNS does not show its certificate now.
    """
    try:
        message = SnsMessage.model_validate_json(body)
    except ValidationError:
        raise InvalidInput("The body is no message of SNS.", field="body") from None
    if message.TopicArn not in settings().followups_sns_topics.split(","):
        raise Forbidden("The topic is none of ours.", code="unknown-topic", remedy="Name it in FOLLOWUPS_SNS_TOPICS.")
    region = message.TopicArn.split(":")[3]
    _at_sns(message.SigningCertURL, region, CERTIFICATE)
    if message.Type != "Notification":
        _at_sns(message.SubscribeURL or "", region, re.compile("/"))
    if not _verified(message, await _certificate(message.SigningCertURL)):
        raise Unauthenticated("The signature of the message is wrong.", code="bad-signature")
    return message


_certificates: dict[str, bytes] = {}


async def _certificate(url: str) -> bytes:
    if url not in _certificates:
        _certificates[url] = await fetch(url)
        while len(_certificates) > 10:  # noqa: PLR2004 - SNS has a few; this only bounds what is kept
            _certificates.pop(next(iter(_certificates)))
    return _certificates[url]


def _at_sns(url: str, region: str, path: re.Pattern[str]) -> None:
    address = urlsplit(url) if url.isascii() and url.isprintable() and "\\" not in url else urlsplit("")
    host = HOST.fullmatch(address.netloc)
    if address.scheme != "https" or host is None or host[1] != region or not path.fullmatch(address.path):
        raise Forbidden("The message points to an address that is not of SNS.", code="not-sns")


def _verified(message: SnsMessage, certificate: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - loads where it is needed
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - as above
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - as above

    # Version 1 is what SNS signs with unless a topic asks for 2: the digest is theirs to choose.
    digest: Any = hashes.SHA1() if message.SignatureVersion == "1" else hashes.SHA256()  # noqa: S303 - as said
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, RSAPublicKey):
            return False
        key.verify(base64.b64decode(message.Signature, validate=True), message.signed, PKCS1v15(), digest)
    except (InvalidSignature, ValueError):
        return False
    return True
