"""How a deployment begins and ends: claimed, cancelled, undone or cleaned up, and its end recorded."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from activities.deploys.running import LONG_RETRIES, change, end_step, redactor_of, running_step, supersede_if_older
from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.documents import projects, store, transitions
from shared.deploys.models import (
    CANCEL_CODE,
    ERROR_LENGTH,
    FINISHING,
    ORPHANED,
    CancelReason,
    Deployment,
    DeploymentError,
    DeploymentStatus,
    Step,
)
from shared.deploys.platforms import platform
from shared.deploys.running.steps import CancelDeployment, Claim, Claimed, DeploymentRef, End, Ended, Undo
from shared.deploys.settings import settings
from shared.platform.durable import Nothing, activity
from shared.platform.errors import Conflict
from shared.platform.redaction import Redactor

ENDED: Final = "A deployment has ended."
"""What alerts look for."""

logger = logging.getLogger(__name__)


@activity(retry=LONG_RETRIES)
async def claim_deployment(task: Claim) -> Claimed:
    """Let one execution have the deployment. A finished orchestration that is started again gets nothing.

    Nor does a deployment when one of the same app that was requested later serves: however late the queue or a sweep
    starts it, an older version never replaces a newer one.
    """
    config = settings()
    claimed = True
    try:
        with suppress(DeploymentCancelled):  # its steps run already, and see it
            await supersede_if_older(task)
        deployment = await change(
            task,
            lambda deployment, now: transitions.claim(deployment, task.execution, now, task.hub),
        )
        turn = task.hub is None or await projects.take_turn(deployment, task.hub)
    except Conflict:
        claimed = turn = False
        deployment = await store.load(task.deployment_id, task.organization_id)
    return Claimed(
        claimed=claimed,
        status=deployment.status,
        project=f"{deployment.organization_id}/{deployment.project_id}",
        limit=config.max_concurrent_deployments,
        timeout_seconds=config.deployment_timeout_ms / 1000,
        turn=turn,
    )


@activity(retry=LONG_RETRIES)
async def settle_deployment(task: DeploymentRef) -> Nothing:
    """The point of no return: from here on the deployment is only cleaned up, and a cancel is refused."""
    await change(
        task,
        lambda deployment, now: transitions.begin_step(
            deployment, Step.CLEANUP, DeploymentStatus.UPDATING_DATABASE, now
        ),
    )
    return Nothing()


@activity(retry=LONG_RETRIES)
async def stop_deployment(task: CancelDeployment) -> Nothing:
    """Cancel the running steps through the document. A deployment that has ended or serves already is left alone."""
    try:
        await change(
            task,
            lambda deployment, now: transitions.request_cancel(deployment, task.reason, now),
        )
    except Conflict as refused:
        logger.info("A deployment cannot be cancelled any more: %s", refused, extra={"deployment": task.deployment_id})
    return Nothing()


@activity(retry=LONG_RETRIES)
async def roll_back(task: Undo) -> Nothing:
    """Let the previous revision serve and remove what this deployment has started. The document and the log say why.

    Raises:
        Conflict: the deployment is past its point of no return (`deployment-finishing`).
    """
    deployment = await store.load(task.deployment_id, task.organization_id)
    if deployment.status in (DeploymentStatus.UPDATING_DATABASE, DeploymentStatus.COMPLETED):
        raise Conflict(f"Deployment {deployment.id} serves and is not undone.", code=FINISHING)
    redact = await redactor_of(deployment)
    if deployment.cancel_reason is None or not deployment.cancel_reason.ends_cancelled:
        await change(
            task,
            lambda deployment, now: deployment.model_copy(
                update={"error": deployment.error or _error(deployment, task, redact, now)}
            ),
        )
    intro = f"undoing: what served before serves on\n{task.message or ''}"
    async with running_step(task, Step.CLEANUP, None, intro) as running:
        await platform().rollback(running.spec, running.context)
    return Nothing()


@activity(retry=LONG_RETRIES)
async def clean_up(task: DeploymentRef) -> Nothing:
    """Remove what only the deployment needed."""
    async with running_step(task, Step.CLEANUP, None, "cleaning up") as running:
        await platform().cleanup(running.spec, running.context)
    await end_step(task, Step.CLEANUP)
    return Nothing()


@activity(retry=LONG_RETRIES)
async def end_deployment(task: End) -> Ended:
    """Record how it ended. What was cancelled is cancelled, whatever else happened meanwhile."""
    redact = await redactor_of(await store.load(task.deployment_id, task.organization_id))
    deployment = await change(
        task,
        lambda deployment, now: transitions.end(deployment, task.status, _why(deployment, task, redact, now), now),
    )
    logger.info(ENDED, extra=_measured(deployment))
    return Ended(
        deployment_id=deployment.id, status=deployment.status, code=deployment.error.code if deployment.error else None
    )


def _measured(deployment: Deployment) -> dict[str, str | float | bool | None]:
    """What dashboards and alerts are made from. `duration` and `waited` are seconds: running, and before that."""
    began, ended = deployment.started_at or deployment.completed_at, deployment.completed_at
    size = deployment.spec().scale.size
    return {
        "deployment": deployment.id,
        "organization": deployment.organization_id,
        "projectId": deployment.project_id,
        "environment": deployment.environment,
        "containerSize": f"{size.cpu} cores, {size.memory}",
        "hasCustomDomain": deployment.custom_domain is not None,
        "status": str(deployment.status),
        "code": deployment.error.code if deployment.error else None,
        "duration": (ended - began).total_seconds() if ended and began else 0.0,
        "waited": (began - deployment.created_at).total_seconds() if began else 0.0,
    }


def _why(deployment: Deployment, task: End, redact: Redactor, now: datetime) -> DeploymentError | None:
    if task.status is not DeploymentStatus.FAILED:
        return None
    if deployment.error is not None and task.code == ORPHANED:
        return deployment.error  # what its orchestration knew before it was terminated
    return _error(deployment, task, redact, now)


def _error(deployment: Deployment, task: End | Undo, redact: Redactor, now: datetime) -> DeploymentError:
    code, message, details = task.code or "deployment-failed", task.message or "", task.remedy
    if deployment.cancel_reason is CancelReason.TIMEOUT and code == CANCEL_CODE:
        seconds = settings().deployment_timeout_ms / 1000
        code, message = "deployment-timeout", f"The deployment was not done after {seconds:g} s and was undone."
        details = "Make the build quicker, or let the operator raise DEPLOYMENT_TIMEOUT_MS."
    worked = [one for one in deployment.steps if one.name is not Step.CLEANUP]
    failed = next((one.name for one in worked if one.success is False), worked[-1].name if worked else None)
    return DeploymentError(
        code=code,
        message=redact(message)[:ERROR_LENGTH],
        details=details and redact(details),
        timestamp=now.astimezone(UTC),
        step=failed,
    )
