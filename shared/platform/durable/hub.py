"""The name of this host's task hub, kept in the hub itself: by it a host tells its work from that of others."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from shared.platform.durable.entities import entity
from shared.platform.errors import TransientError
from shared.platform.models import LazyModel

if TYPE_CHECKING:
    from shared.platform.durable.client import DurableClient

KEY = "this"
NAMING_SECONDS = 20


class HubName(LazyModel):
    """A hub's name; None: it has none yet."""

    name: UUID | None = None


@entity
def task_hub(known: HubName, proposed: HubName) -> tuple[HubName, HubName]:
    """The first name that is proposed stays."""
    named = known if known.name else proposed
    return named, named


async def hub_name(client: DurableClient) -> UUID:
    """The name of the client's hub, which gets one when it is first asked for.

    Raises:
        TransientError: the host does not answer, or does not work on what it is given.
    """
    named = await client.entity_state(task_hub, KEY)
    if named.name is None:
        await client.signal(task_hub, KEY, HubName(name=uuid4()))
    give_up = monotonic() + NAMING_SECONDS
    while named.name is None:
        if monotonic() >= give_up:
            raise TransientError("The durable host does not work on entities.", code="durable-unavailable")
        await asyncio.sleep(0.1)
        named = await client.entity_state(task_hub, KEY)
    return named.name
