"""A sweep that mends what the queue or a host lost, and a purge of what is old."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import azure.functions as func

from activities.deploys.slots import deploy_slots
from orchestrators.deploys.deployment import free_slot, recover_deployment
from orchestrators.deploys.upkeep import forget_deployments
from shared.deploys.documents import orphans, projects, store, transitions
from shared.deploys.models import Deployment
from shared.deploys.requests import intake
from shared.deploys.running.slots import Holder
from shared.deploys.running.steps import SLOTS, DeploymentRef
from shared.platform.durable import DurableClient, Nothing, hub_name, new_blueprint
from shared.platform.errors import Conflict, ManifoldError
from shared.platform.stores.paging import for_each
from shared.platform.sweeps import Sweep
from triggers.deploys import removals

logger = logging.getLogger(__name__)
timers = new_blueprint()

UNSENT_AFTER = timedelta(seconds=30)


@timers.timer_trigger(schedule="0 30 4 * * *", arg_name="timer", run_on_startup=False)
@timers.durable_client_input(client_name="client")
async def deploys_purge(timer: func.TimerRequest, client: Any) -> None:
    """Every night at 04:30."""
    await DurableClient(client).start_if_idle(
        forget_deployments, Nothing(), instance_id="deploys-purge", past_due=timer.past_due
    )


async def _due(client: DurableClient) -> bool:
    """Has any deployment not ended, does any hold or wait for a slot, or is anything being deleted?"""
    slots = await client.entity_state(deploy_slots, SLOTS)
    return bool(slots.holders or slots.waiting) or await store.any_open() or await projects.any_removing()


async def _run(client: DurableClient) -> None:
    """Send deployments that the queue never got; end orphaned ones; release slots; go on with deletions."""
    await intake.send_unsent(UNSENT_AFTER)
    now = datetime.now(UTC)

    async def read(at: str | None) -> tuple[list[Deployment], str | None]:
        page = await store.stale(now, older_than=orphans.STALE_AFTER, limit=intake.SWEPT, continuation=at)
        return page.deployments, page.continuation

    # All of them: those that only wait for a slot are stale too, and may be many.
    await for_each(read, lambda stale: _recover(client, stale))
    slots = await client.entity_state(deploy_slots, SLOTS)
    for holder in (*slots.holders, *slots.waiting):
        await _reclaim(client, holder)
    await removals.resume(client, orphans.STALE_AFTER)


async def _recover(client: DurableClient, stale: Deployment) -> None:
    hub = await hub_name(client)
    if not orphans.may_recover(stale, hub, datetime.now(UTC)):
        return
    if await _runs(client, stale.id) or await _runs(client, f"{stale.id}-recovery"):
        return
    if orphans.is_foreign(stale, hub) and not await _taken_over(stale, hub):
        return
    logger.warning("A deployment is orphaned: its orchestration does not run.", extra={"deployment": stale.id})
    try:
        await client.start(recover_deployment, orphans.recovery_of(stale, hub), instance_id=f"{stale.id}-recovery")
    except ManifoldError as error:
        logger.warning("A deployment was not recovered: %s", error, extra={"deployment": stale.id})


async def _taken_over(stale: Deployment, hub: UUID) -> bool:
    """Make another hub's deployment this one's, so that whatever still works on it there is refused from now on."""
    try:
        await store.change(
            stale.id,
            stale.organization_id,
            lambda deployment, now: transitions.take_over(deployment, stale, hub, now),
        )
    except Conflict as busy:
        logger.info(
            "Another task hub still runs a deployment, so it is not taken over: %s",
            busy,
            extra={"deployment": stale.id},
        )
        return False
    return True


async def _reclaim(client: DurableClient, holder: Holder) -> None:
    """Release the slot, or the place in the queue, of a deployment that has ended without doing so."""
    organization = holder.project.partition("/")[0]
    deployment = await store.find(holder.deployment_id, organization)
    if not orphans.holds_needlessly(deployment) or await _runs(client, holder.deployment_id):
        return
    logger.warning("A deployment has ended and holds its slot.", extra={"deployment": holder.deployment_id})
    left = DeploymentRef(deployment_id=holder.deployment_id, organization_id=organization)
    try:
        await client.start(free_slot, left, instance_id=f"{holder.deployment_id}-slot")
    except ManifoldError as error:
        logger.warning(
            "The slot of an ended deployment was not released: %s", error, extra={"deployment": holder.deployment_id}
        )


async def _runs(client: DurableClient, instance_id: str) -> bool:
    running = await client.find(instance_id)
    return running is not None and not running.state.finished


sweep = Sweep("deploys", due=_due, run=_run)
