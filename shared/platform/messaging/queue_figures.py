"""How full the app's queues are, as Azure's resource manager counts them.

The roles that let the app send and receive also let it read its queues' counts there. The administration API of
Service Bus tells the same, but only to those who may delete the queues as well. A broker that no resource manager
knows, such as Microsoft's emulator, is counted by peeking.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field

from shared.platform.errors import TerminalError, TransientError
from shared.platform.messaging.servicebus import known_queues, receiver
from shared.platform.models import LazyModel
from shared.platform.settings import settings

API_VERSION: Final = "2024-01-01"
ANSWER_SECONDS: Final = 10
"""How long the resource manager is asked again when it fails; whoever looks at figures will ask again anyway."""
COUNTED: Final = 1_000
"""Messages of a queue, and of its dead letters, that are counted by peeking."""
PEEKED: Final = 250
"""Messages of one peek; the service gives no more."""


class QueueFigures(LazyModel):
    """How full a queue is."""

    queue: str
    active: int = Field(description="Messages that wait or are being worked on")
    scheduled: int = Field(description="Messages to be delivered later")
    dead_letters: int = Field(description="Messages that could not be worked on")
    exact: bool = Field(description="false: counting stopped at a limit, there are more")


async def all_figures() -> list[QueueFigures]:
    """How full each known queue is, in the order of SERVICEBUS_QUEUES.

    Raises:
        TransientError: nobody answered who counts them.
        TerminalError: the app may not ask, or one of the queues does not exist.
    """
    namespace = settings().servicebus_resource
    if namespace is None:
        return list(await asyncio.gather(*(_peeked(queue) for queue in known_queues())))
    counts = await _counts(namespace)
    return [_figures(queue, counts) for queue in known_queues()]


async def _counts(namespace: str) -> dict[str, dict[str, int]]:
    """The counts of every queue of the namespace, by their names in lower case, as they are compared."""
    from shared.platform.calls.arm import ResourceManager  # noqa: PLC0415 - loads where it is needed

    address = urlsplit(namespace)
    endpoint = f"{address.scheme}://{address.netloc}"
    manager = ResourceManager(endpoint) if address.scheme == "https" else ResourceManager(endpoint, token=_no_token)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            queues = await manager.list(f"{address.path}/queues", API_VERSION)
    except TimeoutError:
        raise TransientError(
            f"The resource manager has not counted the queues within {ANSWER_SECONDS} s.", code="azure-unavailable"
        ) from None
    finally:
        await manager.close()
    return {one["name"].lower(): one["properties"]["countDetails"] for one in queues}


async def _no_token() -> str:
    """What the stand-in on this machine is shown: a token of the app's identity must not travel in clear."""
    return "none"


def _figures(queue: str, counts: dict[str, dict[str, int]]) -> QueueFigures:
    found = counts.get(queue.lower())
    if found is None:
        raise TerminalError(
            f"The namespace has no queue {queue}.",
            code="servicebus-refused",
            remedy=f"Correct SERVICEBUS_QUEUES; the namespace has: {', '.join(sorted(counts)) or 'none'}.",
        )
    return QueueFigures(
        queue=queue,
        active=found["activeMessageCount"],
        scheduled=found["scheduledMessageCount"],
        dead_letters=found["deadLetterMessageCount"],
        exact=True,
    )


async def _peeked(queue: str) -> QueueFigures:
    waiting, dead = await asyncio.gather(_states(queue, dead=False), _states(queue, dead=True))
    scheduled = sum(state == "SCHEDULED" for state in waiting)
    return QueueFigures(
        queue=queue,
        active=len(waiting) - scheduled,
        scheduled=scheduled,
        dead_letters=len(dead),
        exact=max(len(waiting), len(dead)) < COUNTED,
    )


async def _states(queue: str, *, dead: bool) -> list[str]:
    """The states of the messages in one part of the queue, up to COUNTED."""
    states: list[str] = []
    following = 0
    async with receiver(queue, dead=dead) as part:
        while len(states) < COUNTED:
            found = await part.peek_messages(min(PEEKED, COUNTED - len(states)), sequence_number=following)
            if not found:
                break
            states += [message.state.name for message in found]
            following = (found[-1].sequence_number or 0) + 1
    return states
