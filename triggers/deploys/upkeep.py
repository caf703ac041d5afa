"""A sweep that mends what the queue or a host lost, and a purge of what is old."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func

from activities.deploys import deploy_slots
from orchestrators.deploys.deployment import free_slot, recover_deployment
from orchestrators.deploys.upkeep import forget_deployments
from shared.deploys.documents import store
from shared.deploys.models import Deployment, DeploymentStatus
from shared.deploys.requests import intake
from shared.deploys.running.slots import SLOTS, Holder
from shared.deploys.running.steps import DeploymentRef, Nothing, Recovery
from shared.platform.durable import DurableClient, hub_name, new_blueprint
from shared.platform.errors import Conflict, ManifoldError
from shared.platform.stores.paging import for_each
from shared.platform.sweeps import Sweep

logger = logging.getLogger(__name__)
timers = new_blueprint()

UNSENT_AFTER = timedelta(seconds=30)
STALE_AFTER = timedelta(minutes=10)
FOREIGN_AFTER = timedelta(days=1)
"""After this long a deployment is an orphan, whoever works on it: none takes hours."""


@timers.timer_trigger(schedule="0 30 4 * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def deploys_purge(timer: func.TimerRequest, client: Any) -> None:
    """Every night at 04:30."""
    try:
        await DurableClient(client).start(forget_deployments, Nothing(), instance_id="deploys-purge")
    except Conflict:
        logger.warning("The last purge of deployments has not ended.", extra={"past_due": timer.past_due})


async def _due(client: DurableClient) -> bool:
    """Has any deployment not ended, or does any hold or wait for a slot?"""
    slots = await client.entity_state(deploy_slots, SLOTS)
    return bool(slots.holders or slots.waiting) or await store.any_open()


async def _run(client: DurableClient) -> None:
    """Send deployments that the queue never got; end orphaned ones; release slots."""
    await intake.send_unsent(UNSENT_AFTER)
    now = datetime.now(UTC)

    async def read(at: str | None) -> tuple[list[Deployment], str | None]:
        page = await store.stale(now, older_than=STALE_AFTER, limit=intake.SWEPT, continuation=at)
        return page.deployments, page.continuation

    # All of them: those that only wait for a slot are stale too, and may be many.
    await for_each(read, lambda stale: _recover(client, stale))
    slots = await client.entity_state(deploy_slots, SLOTS)
    for holder in (*slots.holders, *slots.waiting):
        await _reclaim(client, holder)


async def _recover(client: DurableClient, stale: Deployment) -> None:
    if await _runs(client, stale.id) or await _of_others(client, stale):
        return
    logger.warning("A deployment is orphaned: its orchestration does not run.", extra={"deployment": stale.id})
    settled = stale.status is DeploymentStatus.UPDATING_DATABASE
    recovery = Recovery(deployment_id=stale.id, organization_id=stale.organization_id, settled=settled)
    try:
        await client.start(recover_deployment, recovery, instance_id=f"{stale.id}-recovery")
    except ManifoldError as error:
        logger.warning("A deployment was not recovered: %s", error, extra={"deployment": stale.id})


async def _of_others(client: DurableClient, stale: Deployment) -> bool:
    """Whether the task hub of another host works on it, as far as can be told: then only that one knows if it does."""
    if stale.hub in (None, await hub_name(client)):
        return False
    return datetime.now(UTC) - stale.updated_at < FOREIGN_AFTER


async def _reclaim(client: DurableClient, holder: Holder) -> None:
    """Release the slot, or the place in the queue, of a deployment that has ended without doing so."""
    organization = holder.project.partition("/")[0]
    deployment = await store.find(holder.deployment_id, organization)
    if (deployment is not None and not deployment.status.ended) or await _runs(client, holder.deployment_id):
        return
    logger.warning("A deployment has ended and holds its slot.", extra={"deployment": holder.deployment_id})
    left = DeploymentRef(deployment_id=holder.deployment_id, organization_id=organization)
    try:
        await client.start(free_slot, left, instance_id=f"{holder.deployment_id}-slot")
    except ManifoldError as error:
        logger.warning("A slot was not freed: %s", error, extra={"deployment": holder.deployment_id})


async def _runs(client: DurableClient, instance_id: str) -> bool:
    running = await client.find(instance_id)
    return running is not None and not running.state.finished


sweep = Sweep("deploys", due=_due, run=_run)
