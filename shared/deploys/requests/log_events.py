"""A deployment's log as server-sent events: answers of bounded time and size, each going on where the last one ended.

Azure Functions' Python model gives whole responses, so a stream is many short answers: whoever reads it comes back with
the id of the last event, as browsers' EventSource does by itself.
"""

from __future__ import annotations

import asyncio
import json
from time import monotonic
from typing import TYPE_CHECKING, Final

from shared.deploys.documents import store
from shared.deploys.running import logs

if TYPE_CHECKING:
    from shared.deploys.models import Deployment

WAIT_SECONDS: Final = 20.0
"""How long an answer may be without a line to send."""
LOOK_SECONDS: Final = 0.5
RETRY_MS: Final = 250
"""After which a client comes back: the answer has waited for lines already."""
END: Final = "-end"
"""Of the id of a log's last event."""


async def follow(deployment: Deployment, last: str, wait_seconds: float = WAIT_SECONDS) -> str | None:
    """The events after the one of id `last`, as soon as there are any; None where that was the log's last.

    With no new line for `wait_seconds`, a comment alone.
    """
    if last.endswith(END):
        return None
    after, deadline = int(last), monotonic() + wait_seconds
    while True:
        text, following = await logs.read(deployment.organization_id, deployment.id, after=after)
        if text:
            return _retry() + _event(following, text.splitlines())
        if deployment.status.ended:
            status = json.dumps({"status": deployment.status})
            return f"id: {following}{END}\nevent: end\ndata: {status}\n\n"
        if monotonic() > deadline:
            return f"{_retry()}: no new line\n\n"
        await asyncio.sleep(LOOK_SECONDS)
        deployment = await store.load(deployment.id, deployment.organization_id)


def _retry() -> str:
    return f"retry: {RETRY_MS}\n"


def _event(id_: int, lines: list[str]) -> str:
    return f"id: {id_}\n" + "".join(f"data: {line}\n" for line in lines) + "\n"
