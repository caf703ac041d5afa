"""The slots of the running deployments, and the notification of those that wait for one."""

from __future__ import annotations

import logging

from shared.deploys.requests import queue
from shared.deploys.running import slots
from shared.deploys.running.slots import Slots
from shared.deploys.running.steps import SlotAnswer, SlotRequest, Wake
from shared.platform.durable import ONCE, Nothing, activity, entity
from shared.platform.errors import TransientError

logger = logging.getLogger(__name__)


@entity
def deploy_slots(state: Slots, request: SlotRequest) -> tuple[Slots, SlotAnswer]:
    """Who runs, and who waits."""
    return slots.decide(state, request)


@activity(retry=ONCE)
async def wake_waiting(task: Wake) -> Nothing:
    """Notify those that wait of a free slot. They ask from time to time anyway, so a lost message costs a minute."""
    for waiting in task.deployment_ids:
        try:
            await queue.send_slot_free(waiting, released=task.released)
        except TransientError as error:
            logger.warning("A waiting deployment was not notified: %s", error, extra={"deployment": waiting})
    return Nothing()
