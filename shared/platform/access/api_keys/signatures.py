r"""Signed requests: HMAC-SHA256 over `method\npath\ntimestamp\nsha256(body)`, in hexadecimal.

The scheme is that of the system being replaced, so its clients go on working. Their path has no query; a client that
signs `path?query` as it was sent has the query covered too, and neither form passes for the other. Who signs without it
can ask several queries within one second; so can whoever has caught the request, within the clock window.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.platform.access.auth import header
from shared.platform.errors import Unauthenticated
from shared.platform.settings import MOST_SECRETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import azure.functions as func

CLOCK_SECONDS = 300
"""How far the client's clock may be from ours, either way."""

_NOBODYS = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signed request presents.

    Attributes:
        client: the name in X-Client-Id.
        timestamp: whole seconds since 1970.
        signature: 32 bytes; of anything else sent, zeros, which no secret gives.
        messages: what the signature may be of.
        use: 32 bytes that tell this request from every other, also from one of the same signature and another query.
    """

    client: str
    timestamp: int
    signature: bytes
    messages: tuple[bytes, ...]
    use: bytes

    @property
    def expires_at(self) -> int:
        """Seconds since 1970 after which the clock window alone refuses it."""
        return self.timestamp + CLOCK_SECONDS


def read(request: func.HttpRequest) -> Signed:
    """The signature in the headers of the request, not checked yet except for its time.

    Raises:
        Unauthenticated: the timestamp is missing, is no number of seconds, or is out of the clock window.
    """
    sent = header(request, "X-Timestamp")
    if not re.fullmatch(r"[0-9]{1,12}", sent):
        raise Unauthenticated(
            "The timestamp of the signed request is missing or no number.",
            code="signature-timestamp",
            remedy="Send X-Timestamp: whole seconds since 1970-01-01 UTC.",
        )
    if abs(time.time() - int(sent)) > CLOCK_SECONDS:
        raise Unauthenticated(
            f"The request was signed more than {CLOCK_SECONDS} s before or after this server's time.",
            code="signature-expired",
            remedy="Set the client's clock and sign each request when it is sent.",
        )
    signature = header(request, "X-Signature")
    url = urlsplit(request.url)
    paths = (url.path, f"{url.path}?{url.query}")
    presented = bytes.fromhex(signature) if re.fullmatch(r"[0-9a-fA-F]{64}", signature) else bytes(32)
    return Signed(
        client=header(request, "X-Client-Id"),
        timestamp=int(sent),
        signature=presented,
        messages=tuple(message(request.method, path, sent, request.get_body()) for path in paths),
        # Two searches within one second are signed alike where the client leaves the query out.
        use=sha256(presented + paths[-1].encode()).digest(),
    )


def message(method: str, path: str, timestamp: str, body: bytes) -> bytes:
    """What is signed."""
    return f"{method}\n{path}\n{timestamp}\n{sha256(body).hexdigest()}".encode()


def sign(secret: bytes, message: bytes) -> bytes:
    """The signature of a message: 32 bytes."""
    return hmac.new(secret, message, sha256).digest()


def matches(signed: Signed, secrets_of_client: Sequence[bytes]) -> bool:
    """Whether one of the secrets made the signature. No secrets, or the wrong ones, take the time of the right ones."""
    tried = (*secrets_of_client, *(_NOBODYS,) * MOST_SECRETS)[:MOST_SECRETS]
    found = False
    for secret in tried:
        for text in signed.messages:
            found |= hmac.compare_digest(sign(secret, text), signed.signature)
    return found
