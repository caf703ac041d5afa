"""The logs of a deployment and of its app as server-sent events: answers of bounded time and size, one after the other.

Azure Functions' Python model gives whole responses, so a stream is many short answers: whoever reads it comes back with
the id of the last event, as browsers' EventSource does by itself.
"""

from __future__ import annotations

import asyncio
import json
from time import monotonic
from typing import TYPE_CHECKING, Final

from shared.deploys.documents import store
from shared.deploys.platforms import platform
from shared.deploys.running import logs

if TYPE_CHECKING:
    from shared.deploys.models import Deployment

WAIT_SECONDS: Final = 20.0
"""How long an answer may be without a line to send."""
LOOK_SECONDS: Final = 0.5
APP_LOOK_SECONDS: Final = 1.0
"""Between two looks at an app's log, which in Azure are three requests each."""
RETRY_MS: Final = 250
"""After which a client comes back: the answer has waited for lines already."""
END: Final = "-end"
"""Of the id of a log's last event."""


async def follow(deployment: Deployment, last: str) -> str | None:
    """The events after the one of id `last`, as soon as there are any; None where that was the log's last.

    With no new line for WAIT_SECONDS, a comment alone.
    """
    if last.endswith(END):
        return None
    after, deadline = int(last), monotonic() + WAIT_SECONDS
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


async def follow_app(deployment: Deployment, last: str | None) -> str | None:
    """As `follow`, of what the deployed app writes: from its last lines on, until it does not run any more."""
    if last is not None and last.endswith(END):
        return None
    deadline = monotonic() + WAIT_SECONDS
    while True:
        part = await platform().log_from(deployment.spec(), last)
        if part is not None and part.text:
            return _retry() + _event(part.cursor, part.text.splitlines())
        if part is None and deployment.status.ended:
            return f"id: 0{END}\nevent: end\ndata: {json.dumps({'status': 'stopped'})}\n\n"
        if monotonic() > deadline:
            return f"{_retry()}: no new line\n\n"
        await asyncio.sleep(APP_LOOK_SECONDS)
        if part is None:
            deployment = await store.load(deployment.id, deployment.organization_id)


def _retry() -> str:
    return f"retry: {RETRY_MS}\n"


def _event(id_: int | str, lines: list[str]) -> str:
    return f"id: {id_}\n" + "".join(f"data: {line}\n" for line in lines) + "\n"
