"""Bodies of requests within the limits of Kestrel, Azure's web server: of size, and of the time that they take."""

import asyncio
import os

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

# As Kestrel's MinRequestBodyDataRate.
_BYTES_PER_SECOND = 240
_GRACE_SECONDS = 5.0
TOO_SLOW, TOO_LARGE = 408, 413


class BodyRefused(HTTPException):
    """The body is over the limit (413), or arrives more slowly than Kestrel waits for (408)."""

    def __init__(self, status: int) -> None:
        super().__init__(status, headers={"Connection": "close"})


def bounded(receive: Receive) -> Receive:
    """The messages of one request as they come; raises BodyRefused from the one on that is over a limit.

    The time counts only while the body is waited for: a function that reads it slowly is no slow client.
    """
    limit = int(os.environ.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT") or 104857600)
    size, waited, whole = 0, 0.0, False

    async def receive_bounded() -> Message:
        nonlocal size, waited, whole
        if whole:  # what comes is that the client has gone, which may take any time
            return await receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(_GRACE_SECONDS + size / _BYTES_PER_SECOND - waited):
                message = await receive()
        except TimeoutError as error:
            raise BodyRefused(TOO_SLOW) from error
        waited += loop.time() - began
        size += len(message.get("body", b""))
        if size > limit:
            raise BodyRefused(TOO_LARGE)
        whole = not message.get("more_body", False)
        return message

    return receive_bounded


async def whole_body(receive: Receive) -> bytes:
    """All of a body; what has come when the client has gone. Raises BodyRefused where `receive` is bounded."""
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)
