"""Whose turn it is: the slots of those at work, and the word to those who wait."""

from __future__ import annotations

import logging

from shared.deploys import queue, slots
from shared.deploys.slots import SlotAnswer, SlotRequest, Slots
from shared.deploys.steps import Nothing, Wake
from shared.platform.durable import ONCE, activity, entity
from shared.platform.errors import TransientError

logger = logging.getLogger(__name__)


@entity
def deploy_slots(state: Slots, request: SlotRequest) -> tuple[Slots, SlotAnswer]:
    """Who may work, and who waits."""
    return slots.decide(state, request)


@activity(retry=ONCE)
async def wake_waiting(task: Wake) -> Nothing:
    """Tell those who wait that a slot is free. They ask from time to time anyway, so a lost word costs a minute."""
    for waiting in task.deployment_ids:
        try:
            await queue.tell_slot_free(waiting, released=task.released)
        except TransientError as error:
            logger.warning("A waiting deployment was not woken: %s", error, extra={"deployment": waiting})
    return Nothing()
